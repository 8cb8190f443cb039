# Writes the files of the HTML report as string literals: -DDIRECTORY= -DOUTPUT=
file(READ ${DIRECTORY}/page.html page)
file(READ ${DIRECTORY}/style.css style)
file(READ ${DIRECTORY}/page.js script)
file(WRITE ${OUTPUT} "// Made by src/cli/html/embed.cmake.
#include \"cli/html/files.h\"

namespace kache {

const char* const kHtmlPage = R\"kache(${page})kache\";
const char* const kHtmlStyle = R\"kache(${style})kache\";
const char* const kHtmlScript = R\"kache(${script})kache\";

}  // namespace kache
")
