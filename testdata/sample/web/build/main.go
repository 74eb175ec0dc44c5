// Command build makes web/dist of web/src: the page, and its assets under names
// that hold a hash of their content, so that they may be cached for ever.
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	commit := flag.String("commit", "", "commit that is built")
	dir := flag.String("dir", "web", "folder of the frontend")
	flag.Parse()
	if err := build(*dir, cmp.Or(*commit, "unknown")); err != nil {
		log.Fatal(err)
	}
}

func build(dir, commit string) error {
	version, err := os.ReadFile(filepath.Join(dir, "version.txt"))
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	dist := filepath.Join(dir, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("empty %s: %w", dist, err)
	}
	if err := os.MkdirAll(filepath.Join(dist, "assets"), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dist, err)
	}
	page := []string{"{{version}}", strings.TrimSpace(string(version)), "{{commit}}", commit}
	for _, name := range []string{"app.js", "style.css"} {
		hashed, err := asset(dir, dist, name)
		if err != nil {
			return err
		}
		page = append(page, "{{"+name+"}}", hashed)
	}
	source, err := os.ReadFile(filepath.Join(dir, "src", "index.html"))
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	files := map[string]string{
		"index.html":  strings.NewReplacer(page...).Replace(string(source)),
		"version.txt": strings.TrimSpace(string(version)) + " " + commit + "\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// asset copies one file under its hashed name and returns its path in the site.
func asset(dir, dist, name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(dir, "src", name))
	if err != nil {
		return "", fmt.Errorf("read asset: %w", err)
	}
	sum := sha256.Sum256(content)
	ext := filepath.Ext(name)
	hashed := "assets/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:])[:10] + ext
	if err := os.WriteFile(filepath.Join(dist, filepath.FromSlash(hashed)), content, 0o644); err != nil {
		return "", fmt.Errorf("write asset: %w", err)
	}
	return "/" + hashed, nil
}
