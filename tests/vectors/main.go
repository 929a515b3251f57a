// Reads what our tests made of the log (vectors.json and a folder of tiles), and judges it with other people's code:
// golang.org/x/mod/sumdb for the tree and the notes, transparency-dev/formats for cosignatures and tlog-proofs.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type vectors struct {
	Key         string
	Witness     string
	Checkpoints []struct {
		Note             string
		Size             int64
		Root             string
		Signed, Cosigned bool
	}
	Inclusion []struct {
		Leaf        string
		Index, Size int64
		Root        string
		Hashes      []string
		Holds       bool
	}
	Consistency []struct {
		First, Second         int64
		FirstRoot, SecondRoot string
		Hashes                []string
		Holds                 bool
	}
	Proofs []struct {
		Bundle string
		Leaf   string
		Holds  bool
	}
	Folder string
}

var checked int
var wrong []string

func judge(kind string, n int, is, should bool) {
	checked++
	if is != should {
		wrong = append(wrong, fmt.Sprintf("%s %d: %v here, %v there", kind, n, is, should))
	}
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	must(err)
	var given vectors
	must(json.Unmarshal(data, &given))
	log, err := note.NewVerifier(given.Key)
	must(err)
	witness, err := formats.NewVerifierForCosignatureV1(given.Witness)
	must(err)
	for n, each := range given.Checkpoints {
		judge("checkpoint signed", n, opens(each.Note, each.Size, each.Root, log), each.Signed)
		judge("checkpoint cosigned", n, opens(each.Note, each.Size, each.Root, witness), each.Cosigned)
	}
	for n, each := range given.Inclusion {
		leaf, path := tlog.RecordHash([]byte(each.Leaf)), tlog.RecordProof(hashes(each.Hashes))
		judge("inclusion", n, tlog.CheckRecord(path, each.Size, hash(each.Root), each.Index, leaf) == nil, each.Holds)
	}
	for n, each := range given.Consistency {
		path := tlog.TreeProof(hashes(each.Hashes))
		err := tlog.CheckTree(path, each.Second, hash(each.SecondRoot), each.First, hash(each.FirstRoot))
		judge("consistency", n, err == nil, each.Holds)
	}
	for n, each := range given.Proofs {
		judge("tlog-proof", n, proves(each.Bundle, each.Leaf, log, witness), each.Holds)
	}
	judge("folder", 0, whole(given.Folder, log), true)
	told, err := json.Marshal(map[string]any{"checked": checked, "wrong": wrong})
	must(err)
	fmt.Println(string(told))
	if len(wrong) > 0 {
		os.Exit(1)
	}
}

// opens says whether the signer has signed this note, and it says this size and root.
func opens(text string, size int64, root string, signer note.Verifier) bool {
	opened, err := note.Open([]byte(text), note.VerifierList(signer))
	if err != nil {
		return false
	}
	tree, err := head(opened.Text)
	return err == nil && tree.N == size && tree.Hash == hash(root)
}

func head(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	var tree tlog.Tree
	if len(lines) < 4 {
		return tree, fmt.Errorf("no checkpoint")
	}
	if _, err := fmt.Sscanf(lines[1], "%d", &tree.N); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, fmt.Errorf("no root")
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// proves says whether a bundle leads from the leaf to a checkpoint that log and witness have signed.
func proves(bundle, leaf string, log, witness note.Verifier) bool {
	var read proof.TLogProof
	if read.Unmarshal([]byte(bundle)) != nil {
		return false
	}
	opened, err := note.Open(read.Checkpoint, note.VerifierList(log, witness))
	if err != nil || len(opened.Sigs) != 2 {
		return false
	}
	tree, err := head(opened.Text)
	path := make(tlog.RecordProof, len(read.Hashes))
	for n, each := range read.Hashes {
		path[n] = each
	}
	record := tlog.RecordHash([]byte(leaf))
	return err == nil && tlog.CheckRecord(path, tree.N, tree.Hash, int64(read.Index), record) == nil
}

type folder string

func (f folder) Height() int                         { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

// ReadTiles finds them where C2SP tlog-tiles has them: without the height in the path.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for n, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		found[n] = data
	}
	return found, nil
}

// whole says whether every leaf of an exported log is the one under its signed root.
func whole(path string, log note.Verifier) bool {
	text, err := os.ReadFile(filepath.Join(path, "checkpoint"))
	must(err)
	opened, err := note.Open(text, note.VerifierList(log))
	must(err)
	tree, err := head(opened.Text)
	must(err)
	reader := tlog.TileHashReader(tree, folder(path))
	for n := int64(0); n < tree.N; n += 256 {
		width := min(256, tree.N-n)
		tile := tlog.Tile{H: 8, L: 0, N: n / 256, W: int(width)}
		name := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(path, name))
		must(err)
		for at := n; at < n+width; at++ {
			length := int(data[0])<<8 | int(data[1])
			stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, at)})
			if err != nil || stored[0] != tlog.RecordHash(data[2:2+length]) {
				return false
			}
			data = data[2+length:]
		}
		if len(data) != 0 {
			return false
		}
	}
	return true
}

func hashes(texts []string) []tlog.Hash {
	found := make([]tlog.Hash, len(texts))
	for n, each := range texts {
		found[n] = hash(each)
	}
	return found
}

func hash(text string) tlog.Hash {
	var found tlog.Hash
	data, err := hex.DecodeString(text)
	must(err)
	copy(found[:], data)
	return found
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
