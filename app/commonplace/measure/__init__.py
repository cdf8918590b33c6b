"""Evidence: what each layer of memory is worth on this project, with this model.

Looks at all the other rooms from outside, changes none of them, and says with
intervals and sample sizes what helps and what does not.
"""
