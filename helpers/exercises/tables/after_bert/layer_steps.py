"""19.5: what a layer may do with its two blocks, rightly and wrongly."""


def variant(steps, padding=True, asked=True):
    """A layer from what it does with an `attend` that gives vectors alone."""

    def forward(self, hidden, angles, visible=None, return_probabilities=False):
        kept = []

        def attend(read):
            attended, probabilities = self.attention(
                read, angles, visible if padding else None, return_probabilities and asked
            )
            kept.append(probabilities)
            return attended

        return steps(self, hidden, attend), kept[0]

    return forward


def right(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def post_norm(self, x, attend):
    x = self.attention_norm(x + self.dropout(attend(x)))
    return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


def norm_kept(self, x, attend):
    x = self.attention_norm(x)
    x = x + self.dropout(attend(x))
    x = self.feed_forward_norm(x)
    return x + self.dropout(self.feed_forward(x))


def norm_behind(self, x, attend):
    x = x + self.attention_norm(self.dropout(attend(x)))
    return x + self.feed_forward_norm(self.dropout(self.feed_forward(x)))


def exchanged(self, x, attend):
    x = x + self.dropout(attend(self.feed_forward_norm(x)))
    return x + self.dropout(self.feed_forward(self.attention_norm(x)))


def one_norm(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.attention_norm(x)))


def side_by_side(self, x, attend):
    first = self.dropout(attend(self.attention_norm(x)))
    return x + first + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def input_twice(self, x, attend):
    inner = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(inner)))


def no_residuals(self, x, attend):
    x = self.dropout(attend(self.attention_norm(x)))
    return self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def second_without_norm(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(x))


def without_dropout(self, x, attend):
    x = x + attend(self.attention_norm(x))
    return x + self.feed_forward(self.feed_forward_norm(x))


def sum_dropped(self, x, attend):
    x = self.dropout(x + attend(self.attention_norm(x)))
    return self.dropout(x + self.feed_forward(self.feed_forward_norm(x)))


def first_sum_normalized(self, x, attend):
    read = self.attention_norm(x)
    x = read + self.dropout(attend(read))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def second_sum_normalized(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    read = self.feed_forward_norm(x)
    return read + self.dropout(self.feed_forward(read))


def no_first_residual(self, x, attend):
    x = self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def no_second_residual(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def first_without_norm(self, x, attend):
    x = x + self.dropout(attend(x))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def no_norms(self, x, attend):
    x = x + self.dropout(attend(x))
    return x + self.dropout(self.feed_forward(x))


def feed_forward_first(self, x, attend):
    x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
    return x + self.dropout(attend(self.attention_norm(x)))


def attended_only(self, x, attend):
    attended = self.dropout(attend(self.attention_norm(x)))
    return x + attended + self.dropout(self.feed_forward(self.feed_forward_norm(attended)))


def normalized_at_the_end(self, x, attend):
    return self.feed_forward_norm(right(self, x, attend))


def dropped_before(self, x, attend):
    x = x + attend(self.dropout(self.attention_norm(x)))
    return x + self.feed_forward(self.dropout(self.feed_forward_norm(x)))


def dropped_in_the_first(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.feed_forward(self.feed_forward_norm(x))


def dropped_in_the_second(self, x, attend):
    x = x + attend(self.attention_norm(x))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
