"""The frames of losses: what all losses of one shape share, written once.

`points` (each document by itself), `rows` (several outputs a document), `pairs` and `lists` tie a plain NumPy function
to data and run it on both engines; `preferences` does so for given pairs, and `position_pairs` multiplies pairs by
factors of where documents were shown.
Beside them what losses are made of: `gains` of labels, `lambda_weights` of pairs, `ranking` while training, random
`noise`, `targets` of sampled losses, `thresholds` between grades.
"""
