"""What a model has learned, looked at from outside. The notebooks explain the methods where they use them.

    heads         what each attention head looks at: weights, patterns, types, with chance beside them
    flow          attention across layers: how much can flow to each token
    pronouns      whom each pronoun of the stories means, and what a model does where it is hidden
    altering      heads switched off, attention made even or shuffled, and the difference that makes
    attribution   which words drove a prediction: integrated gradients, attention, chance
    faithfulness  how good such scores are: words taken away, or kept alone
    calibration   are 80 of 100 answers right that are given with 80 %? temperature, reliability
    comparison    one method against another: paired tests, intervals over runs and examples
    baselines     guessing by counts: what a masked-language model has to beat
    duplicates    texts that are nearly the same, in groups
    arrays        numbers of any precision and from any device as NumPy arrays
    batches       many texts through a model, the results in the texts' own order
"""
