"""A Django project that credits paid top-ups by dj-stripe's webhook: what people would use."""
