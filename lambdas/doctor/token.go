package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// scopes are what the functions' calls of Slack need; commands is what lets Slack
// offer them.
var scopes = []string{"chat:write", "commands"}

// slackToken asks Slack what the token may do: each answer of the Web API names the
// scopes of its caller (docs.slack.dev/reference/methods/auth.test).
func (d *doctor) slackToken(ctx context.Context, s *sheet) {
	token, ok := d.token(ctx, s, slackToken)
	if !ok {
		return
	}
	const again = "Put the bot token of the installed app (xoxb-…) there: aws secretsmanager put-secret-value --secret-id %s/slack-token --secret-string …"
	answer, err := d.ask(ctx, http.MethodPost, cmp.Or(d.Slack, "https://slack.com/api/")+"auth.test", token)
	if err != nil {
		s.unknown("", err)
		return
	}
	var said struct {
		OK                bool
		Error, Team, User string
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		answer.Body.Close()
		s.unknown("", errors.New("the answer of Slack cannot be read"))
		return
	}
	answer.Body.Close()
	if !said.OK {
		s.fails("slack-refuses", "", fmt.Sprintf("Slack refuses the token (%s): nobody would be told anything.", said.Error), fmt.Sprintf(again, d.Prefix))
		return
	}
	s.good("is that of %s in %s", said.User, said.Team)
	has := strings.FieldsFunc(answer.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	var missing []string
	for _, scope := range scopes {
		if !slices.Contains(has, scope) {
			missing = append(missing, scope)
		}
	}
	if len(missing) > 0 {
		s.fails("slack-scope-missing", strings.Join(missing, ", "), "The Slack app was installed without it.",
			"make slack-manifest prints the app's manifest: save it at api.slack.com/apps, and install the app again.")
	}
}

// gitHubToken asks GitHub for each repository what the functions ask for.
func (d *doctor) gitHubToken(ctx context.Context, s *sheet) {
	token, ok := d.token(ctx, s, gitHubToken)
	if !ok {
		return
	}
	repositories := map[string]bool{}
	for _, r := range d.Catalog.Repositories {
		repositories[r.GitHub] = true
	}
	names := slices.Sorted(maps.Keys(repositories))
	s.good("reads contents and pull requests of %s", strings.Join(names, ", "))
	each(ctx, names, func(repository string) { d.repositoryRights(ctx, s, token, repository) })
}

func (d *doctor) repositoryRights(ctx context.Context, s *sheet, token, repository string) {
	api := cmp.Or(d.GitHub, "https://api.github.com/") + "repos/" + repository
	for _, right := range []struct{ path, name string }{{"", "metadata"}, {"/commits?per_page=1", "contents"}, {"/pulls?per_page=1", "pull requests"}} {
		answer, err := d.ask(ctx, http.MethodGet, api+right.path, token)
		if err != nil {
			s.unknown(repository, err)
			return
		}
		answer.Body.Close()
		switch code := answer.StatusCode; {
		case code == http.StatusUnauthorized:
			s.fails("github-refuses", repository, "GitHub refuses the token: it has expired or is wrong.",
				fmt.Sprintf("aws secretsmanager put-secret-value --secret-id %s/%s --secret-string …", d.Prefix, gitHubToken))
			return
		case code == http.StatusNotFound && right.path == "":
			s.fails("repository-not-seen", repository, "GitHub has no such repository, or the token may not see it.",
				"Correct repositories in the catalog, or give the token that repository.")
			return
		case code == http.StatusForbidden && answer.Header.Get("X-RateLimit-Remaining") != "0", code == http.StatusNotFound:
			s.fails("github-right-missing", repository, fmt.Sprintf("The token may not read its %s.", right.name),
				"Give the token the right to read contents and pull requests there.")
			return
		case code >= http.StatusMultipleChoices && code != http.StatusConflict: // 409: the repository has no commit
			s.unknown(repository, fmt.Errorf("GitHub answers %d", code))
			return
		}
	}
}

// ask calls an API with a token. What went wrong is told without the request, which
// holds it.
func (d *doctor) ask(ctx context.Context, method, url, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, errors.New("the address cannot be asked")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := d.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer", request.URL.Host)
	}
	return answer, nil
}
