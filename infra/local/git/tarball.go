package git

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// tarball answers as GitHub does: with a link to another place, which is a credential
// by itself (docs.github.com/rest/repos/contents, "Download a repository archive (tar)").
func (g *rest) tarball(w http.ResponseWriter, r *http.Request) {
	if !g.known(w, r) {
		return
	}
	sha, err := g.repo.resolve(r.Context(), r.PathValue("ref"))
	if err != nil {
		notFound(w)
		return
	}
	// What stands before /repos/ may have been cut off on the way here.
	before, _, _ := strings.Cut(r.RequestURI, "/repos/")
	w.Header().Set("Location", "http://"+r.Host+before+"/codeload/"+sha+"?token="+g.link(sha))
	w.WriteHeader(http.StatusFound)
}

// codeload serves a link. The host that does so on GitHub is not the API's, so that a
// client which shows it the API's token has told it to somebody else.
func (g *rest) codeload(w http.ResponseWriter, r *http.Request) {
	sha := r.PathValue("sha")
	switch {
	case r.Header.Get("Authorization") != "":
		fail(w, http.StatusBadRequest, "The token of the API was sent to another host")
		return
	case r.URL.Query().Get("token") != g.link(sha):
		notFound(w)
		return
	}
	cmd := exec.CommandContext(r.Context(), "git", "archive", "--format=tar.gz", "--prefix="+strings.ReplaceAll(g.name, "/", "-")+"-"+sha[:7]+"/", sha)
	cmd.Dir, cmd.Env = g.repo.Path, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdout = w
	w.Header().Set("Content-Type", "application/x-gzip")
	if err := cmd.Run(); err != nil {
		panic(http.ErrAbortHandler) // the status is sent: the client sees the connection end
	}
}

func (g *rest) link(sha string) string {
	sum := sha256.Sum256([]byte(g.token + sha))
	return hex.EncodeToString(sum[:10])
}
