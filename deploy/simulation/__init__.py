"""Simulates a believable office: invented people, real commands, instants in the past.

Nothing is written here that a decider did not decide. ``run.simulate`` is the way in.
"""
