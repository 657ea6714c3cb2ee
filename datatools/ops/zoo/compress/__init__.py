"""Operations that make a network smaller: each is the function of the module that has its name."""
