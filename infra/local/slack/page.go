package slack

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// sent is all that the workspace was sent, as GET /messages gives it.
type sent struct {
	Channels   map[string][]*Message  `json:"channels"`
	Ephemerals map[string][]Ephemeral `json:"ephemerals"` // by user
	Views      []*View                `json:"views"`      // the open ones
}

// everything is what was sent; its messages are not to be read without the lock.
func (s *Simulator) everything() sent {
	all := sent{Channels: s.chat, Ephemerals: s.ephemerals, Views: []*View{}}
	for _, v := range s.views {
		all.Views = append(all.Views, v)
	}
	slices.SortFunc(all.Views, func(a, b *View) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (s *Simulator) messages(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	body, err := json.MarshalIndent(s.everything(), "", "  ")
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // an error is a reader that is gone
}

var transcript = template.Must(template.New("transcript").Funcs(template.FuncMap{"lines": lines}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Slack, simulated</title>
<meta http-equiv="refresh" content="2">
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
li{list-style:none;border-left:3px solid #ccc;padding:.2rem .8rem;margin:.8rem 0}pre{white-space:pre-wrap;margin:0;font:inherit}
small{color:#666}</style></head><body><h1>Slack, simulated</h1>
{{range $channel, $messages := .Channels}}<h2>{{$channel}}</h2><ul>
{{range $messages}}<li><small>{{.TS}} · edited {{.Edits}} times</small><pre>{{lines .Text .Blocks}}</pre></li>{{end}}</ul>
{{end}}{{range $user, $messages := .Ephemerals}}<h2>Only {{$user}} sees</h2><ul>
{{range $messages}}<li><small>{{.Channel}} {{.TS}}</small><pre>{{lines .Text .Blocks}}</pre></li>{{end}}</ul>
{{end}}</body></html>
`))

func (s *Simulator) page(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	s.mu.Lock()
	err := transcript.Execute(&b, s.everything())
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // an error is a reader that is gone
}

// lines is what a message says, a line a text; without blocks it is the text.
func lines(text string, blocks json.RawMessage) string {
	var all []any
	if json.Unmarshal(blocks, &all) != nil || len(all) == 0 {
		return text
	}
	var said []string
	for _, b := range all {
		said = append(said, texts(b)...)
	}
	return strings.Join(said, "\n")
}

// texts are those of a block, in the order that Slack shows them.
func texts(v any) []string {
	var said []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			said = append(said, texts(e)...)
		}
	case object:
		if s, ok := v["text"].(string); ok {
			return []string{s}
		}
		if inner, ok := v["text"].(object); ok && v["type"] == "button" {
			return []string{"[ " + strings.Join(texts(inner), "") + " ]"}
		}
		for _, key := range []string{"text", "fields", "elements", "accessory"} {
			said = append(said, texts(v[key])...)
		}
	}
	return said
}
