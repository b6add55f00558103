package dpg

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// cacheDir is where notes on a registry's folder are kept from run to run, outside
// of it; "" where the system has no place for such. All of it may be deleted.
func cacheDir(registry string) string {
	caches, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir, err := filepath.Abs(registry)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(caches, "dpg-registry", hex.EncodeToString(sum[:8]))
}
