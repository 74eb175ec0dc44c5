package edge

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// njsPath is the njs that is installed, or "". CloudFront runs njs, of a release
// that refuses an await among the arguments of a call, as Debian's 0.7.9 does; from
// 1.0 on njs takes it, so that such a release judges less.
var njsPath = sync.OnceValue(func() string {
	path, err := exec.LookPath("njs")
	if err != nil {
		return ""
	}
	return path
})

func TestNjsRunsTheFunctions(t *testing.T) {
	njs := njsPath()
	if njs == "" {
		t.Skip("njs is not installed (Debian and Ubuntu: apt-get install njs): the functions were run by goja alone")
	}
	version, err := exec.CommandContext(t.Context(), njs, "-v").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(version), "0.") {
		t.Skipf("njs %s is not as strict as CloudFront's", strings.TrimSpace(string(version)))
	}
	_, err = tryNjs(t, njs, "async function handler(event) { return JSON.parse(await event.promise); }", []byte("{}"))
	if err == nil || !strings.Contains(err.Error(), "await in arguments not supported") {
		t.Errorf("njs says of an await among the arguments: %v", err)
	}
}

func runNjs(t *testing.T, njs, code string, event []byte) result {
	t.Helper()
	out, err := tryNjs(t, njs, code, event)
	if err != nil {
		t.Fatalf("njs: %v", err)
	}
	return resultOf(t, out)
}

// njsError is how njs ended and what it said, which it says on its output. The
// release of Debian may crash on what it does not support.
type njsError string

func (e njsError) Error() string { return string(e) }

func tryNjs(t *testing.T, njs, code string, event []byte) ([]byte, error) {
	t.Helper()
	folder := t.TempDir()
	pairs, err := json.Marshal(environments)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// njs looks a module up by the name of its file.
	write("cloudfront.js", "const pairs = "+string(pairs)+`;
export default { kvs: function () { return { get: function (key) {
	return pairs[key] ? Promise.resolve(pairs[key]) : Promise.reject(new Error('KeyNotFound'));
} }; } };`)
	write("main.js", strings.Replace(code, importLine, "import cf from 'cloudfront.js';\n", 1)+
		"\nhandler("+string(event)+").then(function (r) { console.log(JSON.stringify(r)); });\n")
	// It ends with an error when a promise is rejected that nobody waits for.
	out, err := exec.CommandContext(t.Context(), njs, "-p", folder, "-t", "module", filepath.Join(folder, "main.js")).CombinedOutput()
	if err != nil {
		return nil, njsError(err.Error() + ": " + string(out))
	}
	return out, nil
}
