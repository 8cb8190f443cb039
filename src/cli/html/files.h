// page.html, style.css and page.js of this directory, embedded when kache is built.
#pragma once

namespace kache {

// Holds @STYLE@, @DATA@ and @SCRIPT@, once each and in this order.
extern const char* const kHtmlPage;
extern const char* const kHtmlStyle;
extern const char* const kHtmlScript;

}  // namespace kache
