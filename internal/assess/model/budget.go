package model

import (
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/assess"
)

// bytesPerToken is the rule of the estimate: English takes about four bytes to a
// token, other languages and JSON less, so three counts rather too many than too few.
const bytesPerToken = 3

// answerTokens is what an answer is estimated at.
const answerTokens = 1000

// Tokens estimates what a question costs, asked and answered: one token for every 3
// bytes sent, and 1,000 for the answer.
func Tokens(q *assess.Question) int {
	return (q.Bytes()+bytesPerToken-1)/bytesPerToken + answerTokens
}

// A budget holds a run to its limits.
type budget struct {
	mu                 sync.Mutex
	requests, tokens   int // spent
	maxRequests, maxTk int // 0 is no limit
}

func newBudget(requests, tokens int) *budget {
	return &budget{maxRequests: requests, maxTk: tokens}
}

// take spends a request of so many estimated tokens. settle puts what the endpoint
// counted in place of the estimate.
func (b *budget) take(tokens int) (settle func(used int), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.maxRequests > 0 && b.requests >= b.maxRequests || b.maxTk > 0 && b.tokens+tokens > b.maxTk {
		return nil, ErrBudget
	}
	b.requests++
	b.tokens += tokens
	return func(used int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tokens += used - tokens
	}, nil
}

// Spent says how many requests were made, and how many tokens they took as far as
// the endpoint said, and as estimated where it did not.
func (c *Client) Spent() (requests, tokens int) {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	return c.budget.requests, c.budget.tokens
}
