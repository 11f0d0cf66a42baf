"""What can go wrong, as exceptions. Each class carries the exit code of the command line.

InspectorError                70  internal
├── ConfigError               78  a line's configuration is wrong
│   └── ConfigNotPermitted    77  this user may not read it
├── NoInputError              66  a named input does not exist
├── NotPermitted              77  this user may not do that
├── BundleError               65  a model bundle is not what its manifest says
├── TargetRefused             65  a picture gives no scale that could be trusted
├── InferenceError            70  a runtime failed on a frame, or answered nonsense
├── CameraError               69
│   ├── CameraUnavailable     69  it could not be opened
│   └── CameraLost            69  it was open and gives no frames any more
├── OutboxError               70  a result could not be recorded
│   └── OutboxTooNew          65  a newer version made the database
├── EvidenceError             65  what was kept of a part is damaged, or cannot be read
└── BrokerError               69  the broker refused us or our results, or is not there
"""

from typing import ClassVar


class InspectorError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code: ClassVar[int] = 70


class ConfigError(InspectorError):
    """A configuration that must not run. The message names file, line, key, expected and found."""

    exit_code = 78


class ConfigNotPermitted(ConfigError):
    """What a line is told by, which this user may not read: its file, calibrations, credentials."""

    exit_code = 77


class NoInputError(InspectorError):
    """A file or folder that was named does not exist or holds nothing to judge."""

    exit_code = 66


class NotPermitted(InspectorError):
    """A file that this user may not read or write; the message says who may."""

    exit_code = 77


class BundleError(InspectorError):
    """A model bundle with a wrong hash, a dynamic shape, an unknown head or a failed self-test."""

    exit_code = 65


class TargetRefused(InspectorError):
    """A calibration target that is not there, blurred, tilted, bent or too small in the picture."""

    exit_code = 65


class InferenceError(InspectorError):
    """The runtime raised, or its output is not finite or not of the promised shape."""


class CameraError(InspectorError):
    """A camera cannot deliver; `CameraUnavailable` or `CameraLost` says when."""

    exit_code = 69


class CameraUnavailable(CameraError):
    """The source could not be opened before its deadline."""


class CameraLost(CameraError):
    """An open source stopped delivering frames; reopening it may heal it."""


class OutboxError(InspectorError):
    """A result could not be committed. The part's verdict must not be signalled as pass."""


class OutboxTooNew(OutboxError):
    """A database that only a newer inspector understands; no restart makes it older."""

    exit_code = 65


class EvidenceError(InspectorError):
    """What was kept of a part is not what was written, or the folder cannot be read."""

    exit_code = 65


class BrokerError(InspectorError):
    """The broker is unreachable, refused the connection, or refused results of a run."""

    exit_code = 69
