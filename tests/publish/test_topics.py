"""The names of the topics."""

from inspector.publish.topics import Topics


def test_topics_are_those_of_the_contract():
    """Root, site, line, and what it is."""
    topics = Topics("plant-a", "line1")
    root = "inspector/v1/plant-a/line1"
    assert (topics.root, topics.status, topics.birth) == (root, f"{root}/status", f"{root}/birth")
    assert (topics.result, topics.count) == (f"{root}/result", f"{root}/count")
    assert (topics.stats, topics.alarm("x")) == (f"{root}/stats", f"{root}/alarm/x")
