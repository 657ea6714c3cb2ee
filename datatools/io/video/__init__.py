"""Videos: what their containers say, frames with their times, encoding, sound, pieces that survive a kill.

containers   recognise MP4, QuickTime, AVI, Matroska and WebM by their first bytes; what the headers declare
read         frames one after the other, each with its time; what was lost on the way
write        frames into a file of one video track
isobmff      MP4 boxes: the tables of a track, and files joined from pieces with the times of their frames
audio        the sound of one file beside the pictures of another, by the program ffmpeg
pieces       long work in steps, each of which is kept
"""
