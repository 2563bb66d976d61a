"""UserMistake: the one error that means the person's input was wrong, not the program."""


class UserMistake(ValueError):
    """What was expected, what came and what to do, in one message meant for the person who typed it.

    Every floor may raise it; the command line prints it without a traceback and ends with exit code 2.
    """
