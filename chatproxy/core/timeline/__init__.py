"""Where each exchange stands, and the one order of all.

1. An exchange answers in the state in which it was recorded: the writes done that touch its place, no matter in which
   order the sessions of a client make them.
2. An answer whose state is not known answers nothing.
3. The same scenario gives the same order and the same numbers, whatever its delays and SIDs were.
4. A fixture says where its exchanges stand, and that is not derived again.

Read: states, standing, sights, uniques, sent, traces, holders, elsewhere, places, evidence, serial, races, flights,
standings, steps, given, precedence, order, telling, known, numbering.
"""
