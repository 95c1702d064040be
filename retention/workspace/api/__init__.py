"""What every part of the API stands on: keys, the shape of requests and answers, errors, paging, repetition."""
