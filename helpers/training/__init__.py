"""How a long run is made: from text on the disk to a checkpoint, and on from where it was cut.

    settings   the arguments of a run, and what must stay the same when it goes on
    options    the kinds of numbers and files that all scripts take
    corpus     the text to read: the course's, the wider one, or plain-text files; what is held out
    course     the course's own text: articles and reviews
    wider      the same with books and Wikipedia leads
    overlap    near duplicates of held-out text
    rows       packed rows of tokens on the disk, their order, their masks
    prepare    tokenizer and rows, made or found again
    model      the model as a run begins
    starts     a start for small models: heads that look at the neighbors
    optimizer  AdamW with its groups, and the learning rate of every step
    shortcuts  work left out because the loss does not depend on it
    variants   other orders of the same encoder, which trials compare
    changes    what made BERT's encoder a modern one, each change alone or together
    diagnostics  what goes on inside while a model trains: activations, gradients, sizes of updates
    engine     a run: begun or resumed, then step by step updated, measured, saved, stopped
    folder     the folder of a run: one run at a time, under the settings that it began with
    log        log.csv and TensorBoard
    state      the states from which a killed run resumes
    files      JSON and tables read, or refused by name
    callbacks  what a notebook's training loop may do after a step
    cost       what a run will take: seconds and memory, foretold
"""
