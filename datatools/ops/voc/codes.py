"""The codes of `datatools voc lint`: what each means and what to do about it. Codes never change their meaning."""

from datatools.core.findings import Catalogue, Code

_ALL = (
    Code(
        "E-XML-BROKEN",
        "the file is not well-formed XML",
        "The file was cut while it was written, edited by hand, or is in another encoding than it says. Readers that "
        "recover from such errors lose the objects after the break without a word.",
        by_hand="write the annotation again",
    ),
    Code(
        "E-XML-DTD",
        "the file has a document type",
        "VOC files need none, and entities can read other files or fill the memory, so the file is not read further.",
        by_hand="remove the <!DOCTYPE ...>",
    ),
    Code(
        "E-XML-ROOT",
        "the root element is not <annotation>",
        "The file is XML, but no Pascal VOC annotation.",
        by_hand="move the file out of the annotations, or rename its root",
    ),
    Code(
        "E-XML-LIMIT",
        "the file is larger or deeper than any annotation",
        "Files beyond 8 MB, with very deep nesting or very many attributes are refused rather than read.",
        by_hand="look at what the file is",
    ),
    Code(
        "E-XML-NAMESPACE",
        "the elements are in an XML namespace",
        "With a namespace, a search for `object` finds nothing: most readers see an image without objects.",
        by_hand="remove the xmlns attribute",
    ),
    Code(
        "W-TAG-REPEATED",
        "an element that may stand once stands again",
        "A second <size>, <filename> or <bndbox>: this program takes the first one, others the last.",
        by_hand="remove one of the two",
    ),
    Code(
        "E-SIZE-MISSING",
        "there is no <size>",
        "Converters divide by the size, and boxes cannot be checked against it.",
        rule="size",
    ),
    Code(
        "E-SIZE-INVALID",
        "the width or height is absent or not a number",
        "Readers stop with a conversion error, or guess.",
        rule="size",
    ),
    Code(
        "E-SIZE-FRACTION",
        "the width or height is not written as a whole number",
        "`int('1920.0')` fails in the scripts that read VOC, although the value itself may be right.",
        rule="round",
    ),
    Code(
        "E-SIZE-ZERO",
        "the width or height is zero or negative",
        "Normalised coordinates become infinite. Some annotation tools write 0 when they could not open the image.",
        rule="size",
    ),
    Code(
        "E-SIZE-SWAPPED",
        "width and height are exchanged",
        "The image is as high as the annotation says it is wide. All boxes are scaled wrongly by converters.",
        rule="size",
    ),
    Code(
        "E-SIZE-MISMATCH",
        "the size is not that of the image",
        "It is neither the size of the stored picture nor that of the picture turned by its EXIF tag. Where the image "
        "was scaled after it was annotated, the boxes are wrong too: look at one before you mend the size alone.",
        rule="size",
    ),
    Code(
        "W-DEPTH-MISMATCH",
        "the depth is not the image's number of channels",
        "Grey images are 1, colour images 3. A missing <depth> is no problem.",
        rule="size",
    ),
    Code(
        "E-IMAGE-MISSING",
        "no image belongs to the XML",
        "Neither an image of the same name, with any image suffix, nor one that <filename> names lies in the image "
        "folder of the same tree.",
        by_hand="add the image, or move the XML away",
    ),
    Code(
        "E-XML-MISSING",
        "no XML belongs to the image",
        "An image without objects needs an XML without objects; without one it is unknown whether anybody looked.",
        by_hand="annotate the image, or move it away",
    ),
    Code(
        "E-IMAGE-UNREADABLE",
        "the image file has no readable header",
        "It is empty, cut in its header, or no image at all, such as an error page that was saved as .jpg.",
        by_hand="get the image again",
    ),
    Code(
        "E-IMAGE-DAMAGED",
        "the image does not decode without errors (--deep)",
        "Most decoders return a picture of full size that is grey or wrong from the damage on, without an error.",
        by_hand="get the image again",
    ),
    Code(
        "W-IMAGE-EXIF",
        "the image carries an EXIF orientation",
        "Some libraries turn the picture when they read it (OpenCV), others do not (Pillow): boxes fit one of the two. "
        "The message says which of both sizes the annotation has.",
        rule="exif",
    ),
    Code(
        "W-FILENAME-MISMATCH",
        "<filename> is not the name of the image",
        "Readers that follow <filename> find another image, or none. A folder before the name does not matter.",
        rule="filename",
    ),
    Code(
        "E-BOX-OUTSIDE",
        "the box reaches outside the image",
        "The message lists the sides. In files that count pixels from 1 a corner of 0 is outside too (--coords).",
        rule="clip",
    ),
    Code(
        "E-BOX-EMPTY",
        "the box has no area",
        "Two opposite corners are equal. That may be read as one row of pixels, as VOC's corners are inclusive, but "
        "most training code computes xmax - xmin and gets 0; nearly always it is a slip of the mouse.",
        rule="zero-area",
    ),
    Code(
        "E-BOX-INVERTED",
        "the corners of the box are exchanged",
        "xmax is less than xmin, or ymax less than ymin: width or height become negative.",
        rule="corners",
    ),
    Code(
        "E-BOX-INVALID",
        "a corner of the box is absent or not a number",
        "NaN passes every test that is written as `if xmax <= xmin`, and makes the loss NaN.",
        by_hand="draw the box again",
    ),
    Code(
        "W-BOX-FRACTION",
        "a corner of the box is not a whole number",
        "Official VOC 2012 has such boxes, but scripts that use `int(text)` stop at them.",
        rule="round",
    ),
    Code(
        "W-BOX-DUPLICATE",
        "the same box with the same label stands in the file before",
        "The object counts twice, in training and in the metrics.",
        rule="duplicates",
    ),
    Code(
        "W-BOX-TINY",
        "a side of the box is shorter than --min-size",
        "The default is 3 pixels; after the image is scaled to the network's input nothing of such a box is left.",
        by_hand="look at the box; remove it, or lower --min-size",
    ),
    Code(
        "E-OBJECT-NO-NAME",
        "the object has no label",
        "<name> is absent or blank.",
        by_hand="name the object",
    ),
    Code(
        "E-OBJECT-NO-BOX",
        "the object has no <bndbox>",
        "There is nothing to detect, and readers that expect a box stop.",
        by_hand="draw the box, or remove the object",
    ),
    Code(
        "W-LABEL-BLANKS",
        "the label has blanks at its ends",
        "'car ' and 'car' are two classes for every reader that does not strip.",
        rule="labels",
    ),
    Code(
        "W-LABEL-SIMILAR",
        "the label differs from a more frequent one only in case, blanks, _ or -",
        "Most likely one class in two spellings. Each rarer spelling is reported once, where it first stands.",
        by_hand="datatools voc rename --map OLD=NEW",
    ),
    Code(
        "W-IMAGE-DUPLICATE",
        "the same image bytes under another name",
        "The image counts twice, and a split can put one copy into train and the other into test.",
        by_hand="keep one of the two",
    ),
    Code(
        "E-SPLIT-LEAK",
        "the same image bytes in two splits",
        "Copies of one image lie in splits that must be disjoint: the score on them says nothing.",
        by_hand="keep one of the two, then datatools voc split",
    ),
    Code(
        "E-SPLIT-OVERLAP",
        "an id is listed in two disjoint splits",
        "train, val and test must be disjoint, and so must trainval and test; trainval may hold train and val.",
        by_hand="remove the id from one list, or datatools voc split",
    ),
    Code(
        "E-SPLIT-NO-XML",
        "a listed id has no XML",
        "Readers that follow the list stop there.",
        by_hand="remove the line, or add the XML",
    ),
    Code(
        "E-LIST-ENCODING",
        "a list of a split is not UTF-8",
        "Its ids cannot be compared with file names, so the lists of its tree are not checked further.",
        by_hand="save the list as UTF-8",
    ),
    Code(
        "W-SPLIT-UNLISTED",
        "the image is in no list",
        "The set has lists, and this annotated image is in none of them: nobody will use it.",
        by_hand="datatools voc split --extend",
    ),
    Code(
        "E-STEM-DUPLICATE",
        "two files want to be the same item",
        "a.jpg and a.png both belong to a.xml: which one the boxes are of is anybody's guess.",
        by_hand="rename or move one of the two",
    ),
    Code(
        "W-NAME-CASE",
        "the name differs from another only in case",
        "Dog.jpg and dog.jpg become one file on the file systems of Windows and macOS.",
        by_hand="rename one of the two",
    ),
)

CODES = Catalogue("voc lint", "datatools/ops/voc/codes.py", _ALL)
"""All codes by their names, in the order of the documentation."""

finding = CODES.finding
