"""The set `hands`: drawings in twins that differ in tremor alone.

subjects    what is written
writers     who writes it: their habits, which both classes have
motion      how the pen goes along it, in time
tremor      what a shaky hand adds, and what every hand does
rendering   how it gets onto a picture
strangers   the same by other rules, for the split that training does not know
twins       a pair of examples
"""
