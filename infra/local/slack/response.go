package slack

import (
	"encoding/json"
	"io"
	"net/http"
)

// answerBody is what an app answers a command with, or sends to a response_url.
type answerBody struct {
	ResponseType    string          `json:"response_type"`
	Text            string          `json:"text"`
	Blocks          json.RawMessage `json:"blocks"`
	ReplaceOriginal bool            `json:"replace_original"`
	DeleteOriginal  bool            `json:"delete_original"`
}

func (a answerBody) faults() []string {
	if a.Text == "" && len(a.Blocks) == 0 && !a.DeleteOriginal {
		return []string{"no_text"}
	}
	return checkMessage(a.Blocks)
}

// respond is a response_url. Slack answers these with a status, not with ok.
func (s *Simulator) respond(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, ok := s.responses[r.PathValue("id")]
	if !ok || s.o.Clock().Sub(to.at) > responseLife || to.uses >= responseUses {
		name := "expired_url"
		if ok && to.uses >= responseUses {
			name = "used_url"
		}
		refuse(w, http.StatusNotFound, no(name))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var a answerBody
	if err != nil || json.Unmarshal(body, &a) != nil {
		refuse(w, http.StatusBadRequest, no("invalid_payload"))
		return
	}
	if faults := a.faults(); len(faults) > 0 {
		refuse(w, http.StatusBadRequest, no("invalid_blocks", faults...))
		return
	}
	to.uses++
	original := s.find(to.channel, to.messageTS)
	switch {
	case a.ReplaceOriginal && original != nil:
		s.edit(original, a.Text, a.Blocks)
	case a.ResponseType == "in_channel":
		s.say(to.channel, a.Text, a.Blocks)
	default:
		s.whisper(to.channel, to.user, a.Text, a.Blocks)
	}
	write(w, nil, nil)
}

func refuse(w http.ResponseWriter, status int, refused *refusal) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	write(w, nil, refused)
}
