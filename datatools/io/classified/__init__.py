"""Sets whose pictures have one class each: class folders, the boxes of a Pascal VOC set, lists of files with labels."""
