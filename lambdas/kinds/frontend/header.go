package frontend

import (
	"mime"
	"path"
	"regexp"
	"strings"
)

const (
	noCache   = "no-cache"
	immutable = "public, max-age=31536000, immutable"
)

// contentTypes are the web's own. What the operating system would say differs
// from machine to machine, so it is asked only for what is not here.
var contentTypes = map[string]string{
	".avif":        "image/avif",
	".css":         "text/css; charset=utf-8",
	".csv":         "text/csv; charset=utf-8",
	".eot":         "application/vnd.ms-fontobject",
	".gif":         "image/gif",
	".htm":         "text/html; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpeg":        "image/jpeg",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".md":          "text/markdown; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".mp3":         "audio/mpeg",
	".mp4":         "video/mp4",
	".otf":         "font/otf",
	".pdf":         "application/pdf",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".ttf":         "font/ttf",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webm":        "video/webm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff":        "font/woff",
	".woff2":       "font/woff2",
	".xml":         "text/xml; charset=utf-8",
}

func contentType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// cacheControl lets a browser keep for good what its name says the content of,
// and ask again for all else.
func cacheControl(name string) string {
	if hashed(name) {
		return immutable
	}
	return noCache
}

// The hashes that bundlers put into names: hexadecimal (webpack, Parcel, Rollup),
// base32 (esbuild), base64url (Vite).
var (
	hexHash    = regexp.MustCompile(`^[0-9a-f]{8,64}$`)
	base32Hash = regexp.MustCompile(`^[A-Z2-7]{8}$`)
	base64Hash = regexp.MustCompile(`^[A-Za-z0-9_-]{8,12}$`)
)

// hashed tells whether a name holds a hash of the content. In doubt it does not:
// a page that is asked for again costs less than one that is kept for a year. So
// a date, a version or a word is no hash, and a hash without any digit is missed.
func hashed(name string) bool {
	base := path.Base(name)
	switch strings.ToLower(path.Ext(base)) {
	case ".html", ".htm", "":
		return false
	}
	tokens := strings.Split(base, ".")
	for i, token := range tokens[:len(tokens)-1] {
		// The first token is the name itself: its hash stands behind a hyphen.
		if i > 0 && isHash(token) {
			return true
		}
		if at := strings.LastIndexByte(token, '-'); at >= 0 && isHash(token[at+1:]) {
			return true
		}
		// A base64url hash may itself hold hyphens; Vite's has 8 characters.
		if at := len(token) - 9; at > 0 && token[at] == '-' && isHash(token[at+1:]) {
			return true
		}
	}
	return false
}

func isHash(s string) bool {
	digit := strings.ContainsAny(s, "0123456789")
	upper := strings.ToLower(s) != s
	lower := strings.ToUpper(s) != s
	switch {
	case hexHash.MatchString(s):
		return digit && lower
	case base32Hash.MatchString(s):
		// A digit at the end alone is a number behind a word.
		return upper && strings.ContainsAny(s[:len(s)-1], "234567")
	case base64Hash.MatchString(s):
		return digit && upper && lower
	}
	return false
}
