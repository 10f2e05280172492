"""`rungs simulate`: the real policies over a simulated installation; docs/simulation.md says what it answers.

The only place that knows both rooms: admission is web's, the cutting is workers', costs and fairness are storage's.
"""
