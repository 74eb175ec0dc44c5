package stack

import (
	"context"
	"net/http"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
)

// doors open Slack's side: the function's URL, the simulator, and GitHub's API.
func (s *Stack) doors(context.Context) error {
	s.Slack = slack.New(slack.Options{
		SigningSecret: s.secrets.SlackSigningSecret, Token: s.secrets.SlackToken,
		Door: func() string { return s.url("slack") }, URL: func() string { return s.url("slack") },
	})
	mux := http.NewServeMux()
	door := s.told.signatures(s.functions.URL("slack"))
	mux.Handle("/slack/", door)
	mux.Handle("/github/", http.StripPrefix("/github", git.GitHub(s.Repository, github, s.secrets.GitHubToken)))
	mux.Handle("/", s.trouble.slack(s.Slack))
	s.serve("slack", mux)
	return nil
}
