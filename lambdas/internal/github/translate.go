package github

import (
	"errors"
	"fmt"
	"net/http"

	api "github.com/google/go-github/v88/github"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// translate says in words why a call did not work; format and args say what it was for.
func translate(err error, response *api.Response, format string, args ...any) error {
	if none := new(tokenError); errors.As(err, &none) {
		return none.error
	}
	why := explain(err, status(response))
	why.What = fmt.Sprintf("Could not "+format+": ", args...) + why.What
	why.Cause = err
	return why
}

func explain(err error, code int) *fault.Fault {
	var limit *api.RateLimitError
	var secondary *api.AbuseRateLimitError
	switch {
	case errors.As(err, &limit):
		return fault.New(statemachine.ErrThrottled, "GitHub's rate limit is used up.").
			WithNext("It is free again at %s UTC.", limit.Rate.Reset.UTC().Format("15:04"))
	case errors.As(err, &secondary), code == http.StatusTooManyRequests:
		return fault.New(statemachine.ErrThrottled, "GitHub asks for fewer requests.").
			WithNext("Try again in a minute.")
	case code == http.StatusUnauthorized:
		return fault.New(statemachine.ErrInternal, "GitHub refuses the token.").
			WithNext("Tell the platform team: the GitHub token has expired or is wrong.")
	case code == http.StatusForbidden:
		return fault.New(statemachine.ErrInternal, "the GitHub token has no right to do so.").
			WithNext("Tell the platform team: the token needs to read contents and pull requests.")
	case code == http.StatusNotFound:
		// GitHub hides what a token may not read behind a 404.
		return fault.New(statemachine.ErrInternal, "GitHub has no such repository, or the token may not read it.").
			WithNext("Tell the platform team: the catalog or the token is wrong.")
	case code >= http.StatusInternalServerError, code == 0:
		return fault.New(statemachine.ErrUnavailable, "GitHub does not answer.").
			WithNext("Try again in a minute; www.githubstatus.com says whether it is known.")
	default:
		return fault.New(statemachine.ErrInternal, "GitHub answered %d.", code).
			WithNext("Tell the platform team.")
	}
}

// status is that of the answer, 0 when there was none.
func status(response *api.Response) int {
	if response == nil || response.Response == nil {
		return 0
	}
	return response.StatusCode
}
