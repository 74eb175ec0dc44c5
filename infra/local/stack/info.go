package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Info is the contract of make local: what a stranger's script needs to sign a
// command, start an execution with any AWS client, and open the URL.
type Info struct {
	AWS                string            `json:"aws"`
	SlackCommands      string            `json:"slackCommands"`
	SlackInteractions  string            `json:"slackInteractions"`
	SlackSigningSecret string            `json:"slackSigningSecret"`
	SlackPage          string            `json:"slackPage"`
	Preview            string            `json:"preview"` // with {label}
	StateMachineARN    string            `json:"stateMachineArn"`
	Table              string            `json:"table"`
	Repository         string            `json:"repository"`
	Commits            map[string]string `json:"commits"`
}

// JSON is the contract in one line.
func (i Info) JSON() string {
	data, _ := json.Marshal(i) // strings alone
	return string(data)
}

func (s *Stack) writeInfo() error {
	repository, err := filepath.Rel(s.options.Root, s.Repository.Path)
	if err != nil {
		repository = s.Repository.Path
	}
	s.Info = Info{
		AWS: s.edgeURL, SlackCommands: s.url("slack") + "/slack/commands", SlackInteractions: s.url("slack") + "/slack/interactions",
		SlackSigningSecret: s.secrets.SlackSigningSecret, SlackPage: s.url("slack") + "/", Preview: s.previewURL(),
		StateMachineARN: s.Seeded.StateMachine, Table: s.Seeded.Table, Repository: repository, Commits: s.Repository.Commits,
	}
	path := filepath.Join(s.options.Dir, "stack.json")
	if err := os.WriteFile(path, []byte(s.Info.JSON()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// URL is that of an environment.
func (s *Stack) URL(label string) string { return strings.ReplaceAll(s.Info.Preview, "{label}", label) }

// BaselineURL is that of the baseline, around the edge.
func (s *Stack) BaselineURL() string {
	return "http://staging." + domain + ":" + strconv.Itoa(s.port("alb"))
}
