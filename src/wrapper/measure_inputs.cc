#include "wrapper/measure_inputs.h"

#include <errno.h>
#include <stdlib.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/path.h"

namespace kache {
namespace {

// Inputs of one directory side by side, so that its absents can be proven together.
bool in_trace_order(const Input& a, const Input& b) {
  auto key = [](const Input& input) {
    std::string_view path = input.path.rest;
    return std::tuple(input.kind == InputKind::absent, input.path.root, dir_name(path), base_name(path), input.kind);
  };
  return key(a) < key(b);
}

Result<std::string> real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (!resolved) return error_from_errno(errno, path);
  std::string real = resolved;
  ::free(resolved);
  return real;
}

class Measurer {
 public:
  Measurer(FileSystem& fs, Memo& memo, Verifier& verifier, const MeasureRequest& request)
      : fs_(fs), memo_(memo), verifier_(verifier), request_(request) {}

  MeasuredInputs run() {
    MeasuredInputs out;
    out.refused = measure_all();
    std::sort(inputs_.begin(), inputs_.end(), in_trace_order);
    inputs_.erase(std::unique(inputs_.begin(), inputs_.end()), inputs_.end());
    out.inputs = std::move(inputs_);
    return out;
  }

 private:
  Refused measure_all() {
    for (const ReadFile& file : request_.observed.files) {
      if (Refused refused = measure_file(file)) return refused;
    }
    for (const std::string& path : request_.extra.files) {
      Result<Digest> digest = verifier_.file_digest(path);
      if (!digest.ok()) return {Refusal::input_unreadable, path};
      add(InputKind::file, path, *digest);
    }
    for (const Question& question : request_.observed.questions) {
      const std::string& path = question.input.path.rest;
      Result<Digest> answer = verifier_.answer(question.input.kind, path);
      if (!answer.ok() || !is_the_same(question, *answer)) return {Refusal::input_changed, path};
      add(question.input.kind, question.input.kind == InputKind::absent ? highest_absent(path) : path, *answer);
    }
    for (const Input& question : request_.extra.questions) {
      Result<Digest> answer = verifier_.answer(question.kind, question.path.rest);
      if (!answer.ok()) return {Refusal::input_changed, question.path.rest};
      add(question.kind, question.path.rest, *answer);
    }
    inputs_.insert(inputs_.end(), request_.before.begin(), request_.before.end());
    return request_.with_times ? measure_times() : Refused{};
  }

  Refused measure_times() {
    for (const ReadFile& file : request_.observed.files) {
      // Of the modules that a module imports clang compares the size alone.
      InputKind kind = file.path.ends_with(".pcm") ? InputKind::presence : InputKind::times;
      Result<Digest> answer = verifier_.answer(kind, file.path);
      if (!answer.ok()) return {Refusal::input_changed, file.path};
      add(kind, file.path, *answer);
    }
    return {};
  }

  // The bytes that the compiler read are the bytes that are there now: the file had settled when it was opened (or its
  // digest was known for the very identity it had then), and is unchanged since.
  Refused measure_file(const ReadFile& file) {
    Result<FileStat> now = fs_.stat(file.path);
    if (!now.ok()) return {Refusal::input_changed, file.path};
    Digest known;
    bool proven = memo_.find(file.identity, 0, &known);
    bool is_blob = proven && is_sealed(file.identity, known);  // its ctime moves with every hard link made of it
    if (!same_identity(*now, file.identity)) {
      bool only_linked = is_blob && now->ino == file.identity.ino && now->dev == file.identity.dev &&
                         now->mtime_ns == file.identity.mtime_ns && now->size == file.identity.size;
      if (!only_linked) return {Refusal::input_changed, file.path};
    }
    if (!proven && !settled(file.identity, file.clock_ns)) {
      return {Refusal::input_changed, file.path + " was written as it was read"};
    }
    Result<Digest> digest = verifier_.file_digest(file.path, &*now);
    if (!digest.ok()) return {Refusal::input_unreadable, file.path};
    add(InputKind::file, file.path, verifier_.standing_for(file.path, *digest));
    return {};
  }

  // Is the answer that we get now the one that the compiler got? As far as it was noted then.
  bool is_the_same(const Question& question, const Digest& answer) {
    const std::string& path = question.input.path.rest;
    switch (question.input.kind) {
      case InputKind::presence: return question.identity.ino == 0 || presence_digest(question.identity) == answer;
      case InputKind::link: return question.text.empty() || link_digest(question.text) == answer;
      case InputKind::real_path: {
        Result<std::string> real = real_path(path);
        return question.text.empty() || (real.ok() && *real == question.text);
      }
      case InputKind::listing: {
        Result<FileStat> now = fs_.stat(path);
        return now.ok() && same_identity(*now, question.identity) && settled(question.identity, question.clock_ns);
      }
      case InputKind::libraries: return !has_new_library(path);
      case InputKind::program: return !is_new(verifier_.find_program(path));
      default: return true;
    }
  }

  // It appeared while the compiler ran, which may have looked before.
  bool is_new(const std::string& path) {
    if (path.empty()) return false;
    Result<FileStat> stat = fs_.stat(path);
    return !stat.ok() || stat->ctime_ns >= request_.started_ns;
  }

  bool has_new_library(const std::string& dir) {
    Result<std::vector<DirEntry>> entries = fs_.list(dir);
    return !entries.ok() || std::any_of(entries->begin(), entries->end(), [&](const DirEntry& entry) {
      return is_library_name(entry.name) && !verifier_.is_own_output(entry.name) && is_new(join_path(dir, entry.name));
    });
  }

  // Outside of all roots directories do not come and go: of a file in a directory that is not there, it is enough to say that
  // the directory is not. Its neighbours are looked for in the one above already.
  std::string highest_absent(const std::string& path) {
    if (request_.roots.map(path).root.kind != RootKind::none) return path;
    std::string absent = path;
    for (std::string dir(dir_name(path)); dir.size() > 1; dir = dir_name(dir)) {
      auto [known, is_new] = is_there_.try_emplace(dir, false);
      if (is_new) known->second = fs_.stat(dir).ok();
      if (known->second) return absent;
      absent = dir;
    }
    return absent;
  }

  void add(InputKind kind, const std::string& path, const Digest& digest) {
    Input input;
    input.kind = kind;
    input.path = kind == InputKind::program ? RootedPath{{}, path} : request_.roots.map(path);
    input.digest = digest;
    inputs_.push_back(std::move(input));
  }

  FileSystem& fs_;
  Memo& memo_;
  Verifier& verifier_;
  const MeasureRequest& request_;
  std::vector<Input> inputs_;
  std::unordered_map<std::string, bool> is_there_;  // directories
};

}  // namespace

MeasuredInputs measure_inputs(FileSystem& fs, Memo& memo, Verifier& verifier, const MeasureRequest& request) {
  return Measurer(fs, memo, verifier, request).run();
}

}  // namespace kache
