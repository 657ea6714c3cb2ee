"""Pure numeric code: arrays in, arrays out. Opens nothing, prints nothing, changes no argument."""
