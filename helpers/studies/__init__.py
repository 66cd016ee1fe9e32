"""Runs compared: many small trainings, their tables, and what may be said of them.

    tasks          what is learned: the parts of a task, encoders, texts as an encoder can read them
    rows           the rows of the fine-tuning ladder, in its order: a new row begins as a function here
    recipes        what a row starts from, and the settings that decide a run
    prompts        classifiers that read at a gap, as pretraining asks, or the mean of all tokens
    trainer        the library's training loop in the place of ours
    own_tables     tables of labelled texts as one has them, cleaned and split
    own_methods    ways to learn from such a table: a linear model, minilm as it is, minilm fine-tuned
    summaries      papers, the sentences worth keeping, and what a choice of them is worth
    summary_methods  ways to score the sentences of a paper
    tables         a table of runs on the disk, with the answers of each run
    reports        means, intervals and paired tests, printed
    domains        a model tuned on one kind of text, asked about others
    curves         loss, gradient norm and accuracy step by step
    story_runs     pretraining on stories: the recipe, the measurements
    ablations      that recipe with one thing changed
    trials         pretraining recipes tried: a recipe in, what came of it out
    trial_corpora  what a trial reads and is measured on: real text, the stories
    trial_tables   a line for each finished trial
    running_text   Wikipedia without its capitals, and without its stops: texts whose words have tags
    word_tags      tags by a table of words, a rule, a linear model
    tagging_runs   capitals and stops given back: each method's runs, and their table
    retrieval      few labels by contrast, and a pair classifier that re-ranks, for notebook 14
    reading_runs   readers of Wikipedia paragraphs: rows, runs and lines of their table
    reading_baselines  readers without a network: the most similar sentence, kinds of answers, counts
    smaller        a classifier made smaller in many ways: students, pruned, narrow, with thin matrices
    smaller_forms  their weights in other forms, and what is measured of each
    smaller_table  their table: each point beside its teacher, in lines and in a picture
    exported       a classifier as an ONNX file, in single precision or with 8-bit matrices
    speed          one text and many, measured in turns
    errors         what can stop a study, and what its script says then
"""
