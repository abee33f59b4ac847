"""The normal form of a request, the rules that shape it, and how two forms differ.

1. One function makes keys, for recording and for replay.
2. A match is never fuzzy: equal texts are equal requests.
3. In what two requests differ is computed from their normal forms.
4. Who sent a request decides which of the recorded equal ones may answer it.

Read: normal_form, placed, rules, users, shaping, difference.
"""
