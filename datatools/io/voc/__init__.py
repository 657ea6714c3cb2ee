"""Pascal VOC on disk.

layout: the trees and items of a folder.
document: one XML, strictly. scan: all boxes of a set as arrays; plain is its quick reader of the usual form, whose tags
are in grammar, and rows is what that and lxml make.
write: an annotation as XML. lists: ImageSets/Main and class lists.
edit: changes of an XML that leave every other byte alone; nodes tells where its elements stand.
"""
