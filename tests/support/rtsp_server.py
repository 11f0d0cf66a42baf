"""A real RTSP camera for the tests: `/usr/bin/python3 rtsp_server.py HOST PORT [USER PASSWORD]`.

It needs the system's Python with Debian's gir1.2-gst-rtsp-server-1.0, python3-gi and the good and
ugly GStreamer plugins. Every frame shows the milliseconds of the monotonic clock at which it was
drawn, as 24 vertical bars (white is 1, the highest bit is on the left), so that the reader can tell
how old a picture is. PORT 0 takes a free one; the port is printed once the server listens.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, BITS, FRAMES_PER_S = 384, 240, 24, 25
SOURCE = (
    "appsrc name=source is-live=true format=time do-timestamp=true caps=video/x-raw,"
    f"format=I420,width={WIDTH},height={HEIGHT},framerate={FRAMES_PER_S}/1 ! "
)
H264 = (
    "x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=25 ! "
    "rtph264pay name=pay0 pt=96 config-interval=1"
)
JPEG = "jpegenc ! rtpjpegpay name=pay0 pt=26"


def picture(stamp_ms):
    bars = (235 if stamp_ms >> bit & 1 else 16 for bit in reversed(range(BITS)))
    row = b"".join(bytes([luma]) * (WIDTH // BITS) for luma in bars)
    return row * HEIGHT + b"\x80" * (WIDTH * HEIGHT // 2)


def feed(_factory, media):
    source = media.get_element().get_by_name("source")

    def push():
        stamp_ms = time.monotonic_ns() // 1_000_000 % (1 << BITS)
        buffer = Gst.Buffer.new_wrapped(picture(stamp_ms))
        return source.emit("push-buffer", buffer) == Gst.FlowReturn.OK

    GLib.timeout_add(1000 // FRAMES_PER_S, push)


def main(host, port, user=None, password=None):
    Gst.init(None)
    encoder = H264 if Gst.ElementFactory.find("x264enc") else JPEG
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {SOURCE}{encoder} )")
    factory.set_shared(True)
    factory.connect("media-configure", feed)
    server = GstRtspServer.RTSPServer()
    server.set_address(host)
    server.set_service(port)
    if user is not None:
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        auth = GstRtspServer.RTSPAuth()
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
        factory.add_role_from_structure(
            Gst.Structure.new_from_string(
                "viewer,media.factory.access=true,media.factory.construct=true"
            )
        )
    server.get_mount_points().add_factory("/line1", factory)
    if server.attach(None) == 0:
        sys.exit(f"expected that I can listen on port {port}")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
