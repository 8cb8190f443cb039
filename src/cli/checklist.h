// What `kache doctor` found out: rows that are good, that are an issue, or that are only worth knowing.
#pragma once

#include <string>
#include <vector>

namespace kache {

struct Check {
  enum Status : unsigned char { ok, issue, note } status = ok;
  std::string label, detail;
  std::string fix;  // the next step; "" where there is none
};

class Checklist {
 public:
  void row(bool good, const std::string& label, const std::string& detail, const std::string& fix = "") {
    checks_.push_back({good ? Check::ok : Check::issue, label, detail, good ? "" : fix});
  }
  void note(const std::string& label, const std::string& detail, const std::string& fix = "") {
    checks_.push_back({Check::note, label, detail, fix});
  }

  void add(const Checklist& more) { checks_.insert(checks_.end(), more.checks_.begin(), more.checks_.end()); }

  const std::vector<Check>& checks() const { return checks_; }
  int issues() const;
  void print(bool colours) const;

 private:
  std::vector<Check> checks_;
};

// "ok", "issue", "note"
const char* status_name(Check::Status status);

}  // namespace kache
