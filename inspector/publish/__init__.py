"""What the factory hears: the messages, their schemas, and the MQTT publisher that delivers."""
