"""PaddleOCR sets: label files of text detection, recognition and direction, and how they lie below a folder."""
