package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// outputsFile is where make deploy leaves the outputs of the stacks.
const outputsFile = ".local/outputs.json"

// manifest is that of the Slack app (docs.slack.dev/reference/app-manifest), to be
// pasted where Slack makes an app from one.
type manifest struct {
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"display_information"`
	Features struct {
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Commands []slashCommand `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Interactivity struct {
			Enabled bool   `json:"is_enabled"`
			URL     string `json:"request_url"`
		} `json:"interactivity"`
		OrgDeploy     bool `json:"org_deploy_enabled"`
		SocketMode    bool `json:"socket_mode_enabled"`
		TokenRotation bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type slashCommand struct {
	Command     string `json:"command"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Usage       string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"`
}

// writeManifest prints the manifest with the URLs of what was deployed.
func writeManifest(w io.Writer, outputs string) error {
	text, err := os.ReadFile(outputs)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("find the door: %s is not there; make deploy writes it", outputs)
	}
	if err != nil {
		return fmt.Errorf("find the door: %w", err)
	}
	var stacks map[string]map[string]string
	if err := json.Unmarshal(text, &stacks); err != nil {
		return fmt.Errorf("read %s: %w", outputs, err)
	}
	var commands, interactions string
	for _, stack := range stacks {
		if stack["SlackCommands"] != "" {
			commands, interactions = stack["SlackCommands"], stack["SlackInteractions"]
		}
	}
	if commands == "" || interactions == "" {
		return fmt.Errorf("find the door: no stack in %s has the outputs SlackCommands and SlackInteractions; run make deploy again", outputs)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(newManifest(commands, interactions))
}

// newManifest has the scopes that the functions' calls need: chat:write for the
// status message and the answers to a form, commands for the rest.
func newManifest(commands, interactions string) manifest {
	var m manifest
	m.Display.Name, m.Display.Description = "Preview environments", "A live environment for a pull request, at the cost of what it changes."
	m.Features.Bot.Name, m.Features.Bot.Online = "previewenv", true
	m.Features.Commands = []slashCommand{
		{Command: "/provisionenv", URL: commands, Description: "Make an environment of a commit", Usage: "[commit or pull request] [services] [--ttl 2h] [--queues]"},
		{Command: "/extendenv", URL: commands, Description: "Let an environment live longer", Usage: "<label, commit or pull request> <minutes or 2h>"},
		{Command: "/cleanupenv", URL: commands, Description: "Remove an environment", Usage: "<label, commit or pull request>"},
	}
	m.OAuth.Scopes.Bot = []string{"chat:write", "commands"}
	m.Settings.Interactivity.Enabled, m.Settings.Interactivity.URL = true, interactions
	return m
}
