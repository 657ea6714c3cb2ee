"""The codes of `datatools ocr lint`: what each means and what to do about it. Codes never change their meaning."""

from datatools.core.findings import Catalogue, Code

_NORMAL = "datatools ocr convert --to paddleocr writes the set anew"

_ALL = (
    Code(
        "E-LABEL-LINE",
        "the line cannot be read",
        "It has no TAB, is not UTF-8, its JSON is broken, a key stands twice, a point is no pair of finite numbers, a "
        "text of a recognition line holds a TAB: the message says which. Trainers stop there, or put another random "
        "line in its place without a word.",
        by_hand="write the line again",
    ),
    Code(
        "E-LABEL-BOM",
        "the file begins with a byte order mark",
        "PaddleOCR takes the mark for a part of the first image's name and never finds it.",
        by_hand=_NORMAL,
    ),
    Code(
        "W-LABEL-CRLF",
        "lines end with a carriage return",
        "PaddleOCR cuts the line feed alone: every recognition text ends with an invisible character.",
        by_hand=_NORMAL,
    ),
    Code(
        "W-LABEL-BLANK",
        "the line is blank",
        "Trainers count it as an item and fail on it each epoch.",
        by_hand="remove the line",
    ),
    Code(
        "W-LABEL-UNENDED",
        "the last line has no line end",
        "Whatever is appended to the file later continues this line. Where the writer was killed, a part of the line "
        "may be missing.",
        by_hand="end the line",
    ),
    Code(
        "E-IMAGE-MISSING",
        "the image is not in the set",
        "The line names an image that is not below the folder, neither as written nor by the end of its path.",
        by_hand="add the image or remove the line",
    ),
    Code(
        "E-IMAGE-AMBIGUOUS",
        "the line may mean several images",
        "The path leads nowhere as it is written, and several images have the same end.",
        by_hand="make the path relative to the label file",
    ),
    Code(
        "E-PATH-OUTSIDE",
        "the path leads out of the set",
        "A label file names images of its own set. What lies outside is not opened.",
        by_hand="make the path relative to the label file",
    ),
    Code(
        "W-PATH-FOREIGN",
        "the path leads nowhere as it is written",
        "It is absolute, of another machine, or starts at another folder; the image was found by the end of the path. "
        "Trainers will not find it.",
        by_hand=_NORMAL,
    ),
    Code(
        "E-IMAGE-UNREADABLE",
        "the image cannot be read",
        "It is no regular file, empty, or has no header of a picture.",
        by_hand="replace the image or remove the line",
    ),
    Code(
        "E-IMAGE-DAMAGED",
        "the image is damaged",
        "It does not decode as a whole: it is cut, or bits in it have flipped. Many readers show such pictures half "
        "grey and say nothing.",
        by_hand="replace the image or remove the line",
    ),
    Code(
        "W-IMAGE-EXIF",
        "the image carries an EXIF orientation",
        "Some libraries turn the picture when they read it (OpenCV, and with it PaddleOCR), others do not (Pillow): "
        "the outlines fit one of the two. They are taken to fit the displayed picture.",
        by_hand="bake the turn into the pixels and remove the tag",
    ),
    Code(
        "W-IMAGE-UNLISTED",
        "images of the folder are in no label file",
        "The folder holds images that label files name, and others that none does: nobody will use them.",
        by_hand="label them or remove them",
    ),
    Code(
        "W-LINE-REPEATED",
        "the same line twice",
        "The image counts twice in training and in the score.",
        by_hand="remove one of the two",
    ),
    Code(
        "E-IMAGE-DUPLICATE",
        "an image has two lines that differ",
        "Two lines of one kind name the same image and label it differently: at most one is right.",
        by_hand="remove one of the two",
    ),
    Code(
        "E-SPLIT-LEAK",
        "an image is in two splits",
        "Training and test share an image, by its path or byte for byte: the score on it says nothing.",
        by_hand="datatools ocr split",
    ),
    Code(
        "W-PAGE-EMPTY",
        "the page has no region",
        "PaddleOCR passes over such pages in training, so they teach no background.",
        by_hand="remove the line, or mark what is there as ###",
    ),
    Code(
        "E-POLY-CROSSED",
        "the outline crosses itself",
        "Its corners are in no order around the text: areas, masks and cut-outs made of it are wrong.",
        by_hand="put the corners in order",
    ),
    Code(
        "E-POLY-ORDER",
        "the corners go round counterclockwise",
        "Cut-outs made of it are mirrored, and the text in them with them.",
        by_hand="list the corners clockwise from the top left",
    ),
    Code(
        "W-POLY-START",
        "the outline does not begin at the text's top left",
        "The first side of a quad says how the text is read. This one runs leftwards, or along the short side of a "
        "long text: the cut-out stands on its head or lies on its side. Right only where the picture shows it so.",
        by_hand="begin with the corner at the top left of the text",
    ),
    Code(
        "E-POLY-EMPTY",
        "the outline has no area",
        "All corners lie on a line, or in one point; nearly always a slip of the mouse.",
        by_hand="remove the region or draw it again",
    ),
    Code(
        "W-POLY-TINY",
        "the outline is too small to be read",
        "A side is shorter than --min-size pixels on average. Detectors leave such regions out of the loss.",
        by_hand="mark it as ###, or draw it again",
    ),
    Code(
        "E-POLY-OUTSIDE",
        "the outline lies outside of the image",
        "Nothing of it is inside the picture: the image is another one, was cut or scaled, or the coordinates are.",
        by_hand="look at the image; remove or redraw the region",
    ),
    Code(
        "W-POLY-BOUNDS",
        "the outline leaves the image",
        "A part of it lies outside of the picture; trainers cut it at the edge, cut-outs repeat the edge.",
        by_hand="move the corners to the edge",
    ),
    Code(
        "E-REGION-REPEATED",
        "two regions of a page have the same outline",
        "The text counts twice; where the two texts differ, at most one is right.",
        by_hand="remove one of the two",
    ),
    Code(
        "E-TEXT-EMPTY",
        "the text is empty",
        "A region or line without a text teaches recognition nothing and is passed over.",
        by_hand="write the text, or mark it as ###",
    ),
    Code(
        "E-TEXT-CHARACTER",
        "the text has characters outside of the dictionary",
        "Trainers drop such characters from the text without a word: the network learns not to see them.",
        by_hand="datatools ocr dict makes a dictionary of the set",
    ),
    Code(
        "W-TEXT-LONG",
        "the text is longer than --max-length",
        "PaddleOCR passes over texts that are longer than its max_text_length (25 unless configured).",
        by_hand="raise max_text_length, or cut the line",
    ),
    Code(
        "W-TEXT-BLANKS",
        "the text begins or ends with a blank",
        "Nobody can see it in the picture, so nothing can learn it.",
        by_hand="remove the blanks",
    ),
    Code(
        "W-TEXT-INVISIBLE",
        "the text holds characters that cannot be seen",
        "Control characters, zero-width marks, line separators: usually pasted along by accident.",
        by_hand="remove them",
    ),
    Code(
        "E-DICT-LINE",
        "a line of the dictionary is not one new character",
        "It is empty, has several characters, stands there twice, or is not UTF-8: trainers number it, and no text can "
        "mean it.",
        by_hand="remove the line and train anew",
    ),
)

CODES = Catalogue("ocr lint", "datatools/ops/ocr/codes.py", _ALL)
"""All codes by their names, in the order of the documentation."""

finding = CODES.finding
