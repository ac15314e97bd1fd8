"""The special tokens: their spelling, their ids in every vocabulary, and the label that no loss counts."""

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
SPECIAL_TOKENS = (PAD, BOS, EOS)
PAD_ID, BOS_ID, EOS_ID = range(3)

IGNORE_INDEX = -100  # as torch's and transformers' losses have it
