// Package slack plays Slack on one machine: the methods of the Web API that the
// functions call, and the people who type commands, fill in forms and press
// buttons, with requests signed as Slack signs them. It refuses what Slack
// refuses. It knows nothing of the functions but the URL of their door, and it
// keeps all in memory. It plays no rate limits.
package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of a Simulator. SigningSecret, Token, Door and URL are needed.
type Options struct {
	SigningSecret string
	Token         string           // the bot token that the Web API takes
	Door          func() string    // base URL of the function's door
	URL           func() string    // base URL that the simulator is reached at, for response_url
	Clock         func() time.Time // time.Now when nil
	Client        *http.Client     // to the door; http.DefaultClient when nil
	// Channels that the app is in. Without any, every well-formed ID is one, so that
	// a stranger may sign a command from any channel.
	Channels []string
	// Outside are channels that exist, but not with the app in them.
	Outside []string
}

// Simulator is a workspace of Slack with one app. It is safe for concurrent use.
type Simulator struct {
	o    Options
	mux  *http.ServeMux
	mu   sync.Mutex
	seq  int
	chat map[string][]*Message // by channel

	ephemerals map[string][]Ephemeral // by user
	views      map[string]*View       // the open ones, by ID
	triggers   map[string]*trigger
	responses  map[string]*response
}

// Message is one message of a channel as it stands.
type Message struct {
	Channel string          `json:"channel"`
	TS      string          `json:"ts"`
	User    string          `json:"user"` // whoever posted it: the app
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
	Edits   int             `json:"edits"`
	History []Version       `json:"history,omitempty"` // what stood before each edit, oldest first
}

// Version is what a message once said.
type Version struct {
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks,omitempty"`
	Until  time.Time       `json:"until"`
}

// Ephemeral is a message that one person saw.
type Ephemeral struct {
	Channel string          `json:"channel"`
	User    string          `json:"user"`
	TS      string          `json:"ts"`
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
}

// View is a form that is open before a person.
type View struct {
	ID         string          `json:"id"`
	User       string          `json:"user"`
	CallbackID string          `json:"callback_id"`
	View       json.RawMessage `json:"view"` // as the app sent it
}

// trigger opens one form within triggerLife.
type trigger struct {
	user string
	at   time.Time
	used bool
}

// response takes responseUses answers within responseLife.
type response struct {
	channel, user, messageTS string
	at                       time.Time
	uses                     int
}

// Bounds of what an interaction hands out: docs.slack.dev/interactivity.
const (
	triggerLife  = 3 * time.Second
	responseLife = 30 * time.Minute
	responseUses = 5
)

// app is the user ID of the app's bot.
const app = "U0PREVIEWENV"

// New makes an empty workspace.
func New(o Options) *Simulator {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	s := &Simulator{
		o: o, mux: http.NewServeMux(),
		chat: map[string][]*Message{}, ephemerals: map[string][]Ephemeral{}, views: map[string]*View{},
		triggers: map[string]*trigger{}, responses: map[string]*response{},
	}
	s.mux.HandleFunc("POST /api/{method}", s.api)
	s.mux.HandleFunc("POST /response/{id}", s.respond)
	s.mux.HandleFunc("GET /messages", s.messages)
	s.mux.HandleFunc("GET /{$}", s.page)
	return s
}

// ServeHTTP serves the Web API below /api/, response_urls, what was sent at
// /messages, and a page at /.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Messages are those of a channel, oldest first.
func (s *Simulator) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Message, 0, len(s.chat[channel]))
	for _, m := range s.chat[channel] {
		c := *m
		c.History = slices.Clone(m.History)
		all = append(all, c)
	}
	return all
}

// Ephemerals are what one person alone saw, oldest first.
func (s *Simulator) Ephemerals(user string) []Ephemeral {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ephemerals[user])
}

// Views are the forms that are open before a person, oldest first.
func (s *Simulator) Views(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []View
	for _, v := range s.views {
		if v.User == user {
			all = append(all, *v)
		}
	}
	slices.SortFunc(all, func(a, b View) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// next makes an ID that sorts by age. The lock is held.
func (s *Simulator) next(prefix string) string {
	s.seq++
	return fmt.Sprintf("%s%08d", prefix, s.seq)
}

// timestamp makes the name of a message. The lock is held.
func (s *Simulator) timestamp() string {
	s.seq++
	return fmt.Sprintf("%d.%06d", s.o.Clock().Unix(), s.seq%1_000_000)
}

func (s *Simulator) trigger(user string) string {
	id := s.next("1000.2000.")
	s.triggers[id] = &trigger{user: user, at: s.o.Clock()}
	return id
}

func (s *Simulator) responseURL(channel, user, ts string) string {
	id := s.next("R")
	s.responses[id] = &response{channel: channel, user: user, messageTS: ts, at: s.o.Clock()}
	return s.o.URL() + "/response/" + id
}
