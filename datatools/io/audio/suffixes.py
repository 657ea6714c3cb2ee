"""The names of sound files. Apart from their readers, so that looking for files loads none of them."""

FOREIGN_SUFFIXES = frozenset(
    [".m4a", ".mp4", ".m4b", ".aac", ".wma", ".mov", ".mkv", ".webm", ".avi", ".amr", ".ape", ".wv", ".3gp"]
)
"""Of files that only ffmpeg reads, in lower case and with their dot."""

AUDIO_SUFFIXES = FOREIGN_SUFFIXES | {
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
    ".w64", ".rf64",
}  # fmt: skip
"""Of files that are taken for recordings, in lower case and with their dot."""
