"""What is kept of judged parts: pictures and records in a folder, an index, a chain of hashes."""

from inspector.record.evidence.layout import FOLDER
from inspector.record.evidence.reader import Reader, Stored

__all__ = ["FOLDER", "Reader", "Stored"]
