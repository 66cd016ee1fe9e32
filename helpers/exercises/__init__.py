"""What shows a learner that a check is worth something.

    wrong   a wrong program must fail a check, and the check must say why
"""
