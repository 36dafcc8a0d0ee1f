// SPDX-License-Identifier: Apache-2.0
#include "text/ptb_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "text/words.h"

namespace unirg::text {
namespace {

using std::string;

string group(const string& pattern) { return "(?:" + pattern + ")"; }

/// Upper case or lower, as Java's characters know them: i has two Turkish forms more. (Character
/// classes of the original keep their case, so they stand outside.)
string any_case(std::string_view pattern) {
  string result = "(?i:";
  for (const char c : pattern) {
    if (c == 'i') {
      result += R"([i\x{130}\x{131}])";
    } else {
      result += c;
    }
  }
  return result + ")";
}

/// Words separated by spaces as alternatives; one that begins with a capital must begin so. Those
/// of one first letter stand together: a matcher looks at every alternative that it may begin.
string any_of(std::string_view words) {
  std::map<char, string> by_first;
  while (!words.empty()) {
    const string word(words.substr(0, words.find(' ')));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    string& rest = by_first[word[0]];
    if (!rest.empty()) rest += '|';
    rest += any_case(word.substr(1));
  }
  string result;
  for (const auto& [first, rest] : by_first) {
    if (!result.empty()) result += '|';
    const string letter(1, first);
    result += (is_upper(first) ? letter : any_case(letter)) + group(rest);
  }
  return group(result);
}

// ---- characters ----
const string kExtraLetters =
    R"(\x{ad}\x{237}-\x{24f}\x{2c2}-\x{2c5}\x{2d2}-\x{2df}\x{2e5}-\x{2ff}\x{300}-\x{36f}\x{370}-\x{37d})"
    R"(\x{384}\x{385}\x{3cf}\x{3f6}\x{3fc}-\x{3ff}\x{483}-\x{487}\x{4cf}\x{4f6}-\x{4ff}\x{510}-\x{525})"
    R"(\x{55a}-\x{55f}\x{591}-\x{5bd}\x{5bf}\x{5c1}\x{5c2}\x{5c4}\x{5c5}\x{5c7}\x{615}-\x{61a})"
    R"(\x{63b}-\x{63f}\x{64b}-\x{65e}\x{670}\x{6d6}-\x{6ef}\x{6fa}-\x{6ff}\x{70f}\x{711}\x{730}-\x{74f})"
    R"(\x{750}-\x{77f}\x{7a6}-\x{7b1}\x{7ca}-\x{7f5}\x{7fa}\x{900}-\x{903}\x{93c}\x{93e}-\x{94e})"
    R"(\x{951}-\x{955}\x{962}\x{963}\x{981}-\x{983}\x{9bc}-\x{9c4}\x{9c7}\x{9c8}\x{9cb}-\x{9cd}\x{9d7})"
    R"(\x{9e2}\x{9e3}\x{a01}-\x{a03}\x{a3c}\x{a3e}-\x{a4f}\x{a81}-\x{a83}\x{abc}-\x{acf}\x{b82})"
    R"(\x{bbe}-\x{bc2}\x{bc6}-\x{bc8}\x{bca}-\x{bcd}\x{c01}-\x{c03}\x{c3e}-\x{c56}\x{d3e}-\x{d44})"
    R"(\x{d46}-\x{d48}\x{e30}-\x{e3a}\x{e47}-\x{e4e}\x{eb1}-\x{ebc}\x{ec8}-\x{ecd})";
const string kAccentEntity = "&[aeiouAEIOU]" + any_case("(?:acute|grave|uml);");
const string kLetter = group("[\\p{L}" + kExtraLetters + "]|" + kAccentEntity);
const string kDigit = R"([\p{Nd}\x{7c0}-\x{7c9}])";
const string kUpper = R"([\p{Lu}\x{2160}-\x{216f}\x{24b6}-\x{24cf}])";
const string kSpace = R"([ \t\x{a0}\x{2000}-\x{200a}\x{3000}])";
const string kSpaceOrLine =
    R"([ \t\x{a0}\x{2000}-\x{200a}\x{3000}\r\n\x{2028}\x{2029}\x{b}\x{c}\x{85}])";
const string kApostrophe = group(R"(['\x{92}\x{2019}]|)" + any_case("&apos;"));
const string kAnyApostrophe = group(kApostrophe + R"(|[`\x{91}\x{2018}\x{201b}])");
const string kHyphen = R"([-_\x{58a}\x{2010}\x{2011}])";
const string kComma = R"([,;:\x{3001}])";

// ---- words ----
const string kWordPart = kLetter + group(kLetter + "|" + kDigit) + "*";
const string kWord = kWordPart + group("[.!?]" + kWordPart) + "*";
const string kNumber = group("[.:,\\x{ad}\\x{66b}\\x{66c}]?" + kDigit + "+" +
                             group("[.:,\\x{ad}\\x{66b}\\x{66c}]" + kDigit + "+") + "*");
const string kSignedNumber = "[-+]?" + kNumber;
/// 'll and 'm and their kin
const string kContraction = kApostrophe + group("[msdMSD]|" + any_case("re|ve|ll"));
const string kBeforeNot = R"([A-Za-z\x{ad}]*[A-MO-Za-mo-z]\x{ad}*)";
const string kNot = group(any_case("n") + kAnyApostrophe + any_case("t"));
const string kAcronymDots = group(string("[A-Za-z]") + "(?:\\.[A-Za-z])+");
const string kNations =
    any_case("(?:canada|sino|korean|eu|japan|non)-u\\.s|u\\.s\\.-(?:u\\.k|u\\.s\\.s\\.r)");
const string kAcronym = group("[A-Za-z](?:\\.[A-Za-z])*|" + kNations);

/// Abbreviations that a lower-case word follows, or a sentence's end.
constexpr std::string_view kAbbreviations1 =
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri ala ariz Az "
    "Ark "
    "calif colo conn ct dak Del fla ga Ill ind kan kans ky La Mass md mich minn Miss mo mont neb "
    "nev "
    "okla Ore Pa penn tenn Tex va vt Wash wis wisc wyo inc co cos corp ltd plc rt bancorp bhd assn "
    "univ intl sys tel est ext sq jr sr bros blvd rd esq etc "
    "al seq bldg";
/// Abbreviations that a capital may follow within a sentence.
constexpr std::string_view kAbbreviations2 =
    "mr mrs ms Miss dr drs prof profs sen sens rep reps atty attys lt col gen messrs gov govs adm "
    "rev maj sgt cpl pvt capt st ste ave pres lieut rt hon brig cmdr comdr pfc spc supt supts det "
    "mt "
    "ft adj adv asst assoc ens insp mlle mme msgr sfc vs alex wm jos cie cf treas ph invt elec "
    "natl "
    "dept";
/// Abbreviations only before a number.
constexpr std::string_view kAbbreviations3 = "ca fig figs prop no nos art bldg pp op";

const string kAbbreviation1 = group(any_of(kAbbreviations1) + "|" + any_case("(?:ed|ph)\\.d") +
                                    "|" + any_case("pp?t") + "[ye]" + any_case("s?")) +
                              "\\.";
const string kAbbreviation2 = group(any_of(kAbbreviations2) + "|" + any_case("a\\.k\\.a") + "|" +
                                    any_case("m") + "[ft]" + any_case("g") + "|" + kAcronym);
const string kAbbreviation3 = any_of(kAbbreviations3) + "\\.";

const string kSentenceStarts = any_of(
    "About According Additionally After An A As At But Earlier He Her Here However If In It "
    "Last Many More Mr\\. Ms\\. Now Once One Other Our She Since So Some Such That The Their "
    "Then There These They This We When While What Yet You");

// ---- marks, addresses ----
const string kName = "[A-Za-z][A-Za-z0-9_:.-]*";
const string kMarkup = "<" +
                       group("[!?][A-Za-z-][^>\\r\\n]*|" + kName + "(?: +" + kName +
                             "(?: *= *(?:'[^']*'|\"[^\"]*\"))?)* */?|/" + kName) +
                       " *>";
const string kUrl = any_case("https?") + R"(://[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},-])";
const string kLikelyUrl =
    group(any_case("www") + R"(\.(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}|)" +
          R"((?:[^ \t\n\f\r"`'<>|.!?(){},-_$]+\.)+)" + any_case("com|net|org|edu")) +
    R"((?:/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},-])?)";
const string kMail =
    any_case("(?:&lt;|<)?") +
    R"([a-zA-Z0-9][^ \t\n\f\r"<>|()\x{a0}{}]*@(?:[^ \t\n\f\r"<>|(){}.\x{a0}]+\.)*[^ \t\n\f\r"<>|(){}.\x{a0}]+)" +
    any_case("(?:&gt;|>)?");
const string kFile = group(kLetter + "|" + kDigit) + "+" +
                     group("\\." + group(kLetter + "|" + kDigit) + "+") + "*\\." +
                     any_case(
                         "bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|htm|html|jar|java|"
                         "jpeg|jpg|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav|x|xml|zip");
const string kQuotes = group(
    kApostrophe + R"(|''|[`\x{2018}-\x{201f}\x{91}-\x{94}\x{2039}\x{203a}\x{ab}\x{bb}]{1,2})");
const string kDoubleQuote = group("\"|" + any_case("&quot;"));
const string kSymbols =
    R"([+%&~^|\\\x{a6}\x{a7}\x{a8}\x{a9}\x{ac}\x{ae}\x{af}\x{b0}-\x{b3}\x{b4}-\x{ba}\x{d7}\x{f7}\x{387}\x{5be}\x{5c0}\x{5c3}\x{5c6}\x{5f3}\x{5f4}\x{600}-\x{603}\x{606}-\x{60a}\x{60c}\x{614}\x{61b}\x{61e}\x{66a}\x{66d}\x{703}-\x{70d}\x{7f6}-\x{7f8}\x{964}\x{965}\x{e4f}\x{1fbd}\x{2016}\x{2017}\x{2020}-\x{2023}\x{2030}-\x{2038}\x{203b}\x{203e}-\x{2042}\x{2044}\x{207a}-\x{207f}\x{208a}-\x{208e}\x{2100}-\x{214f}\x{2190}-\x{21ff}\x{2200}-\x{2bff}\x{3001}-\x{3006}\x{3008}-\x{3020}\x{30fb}\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}])";

const string kSmallWords =
    group(kApostrophe + any_case("n") + kApostrophe + "?|[lLdDjJ]" + kApostrophe + "|" +
          any_case("dunkin|somethin|ol") + kApostrophe + "|" + kApostrophe + any_case("em") +
          "|[A-HJ-XZn]" + kAnyApostrophe + "\\p{L}{2,}|" + kApostrophe + "[2-9]0" + any_case("s") +
          "|" + kApostrophe + any_case("till?") + "|\\p{L}+[aeiouyAEIOUY]" + kAnyApostrophe +
          "[aeiouA-Z]\\p{L}*|" + kApostrophe + any_case("cause") + "|" +
          any_case("cont'd\\.?|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l") + "|" +
          any_case("o") + kAnyApostrophe + any_case("o"));

const string kThingPart = group("[dDoOlL]" + kAnyApostrophe + "[\\p{L}\\p{Nd}]") + "?";
const string kThing =
    kThingPart + "[\\p{L}\\p{Nd}]+" + group(kHyphen + kThingPart + "[\\p{L}\\p{Nd}]+") + "*";
const string kHyphenated =
    R"([A-Za-z0-9][A-Za-z0-9.,\x{ad}]*)" +
    group("-" + group(R"([A-Za-z0-9\x{ad}]+|)" + group(kAcronymDots + "|" + kNations) + "\\.")) +
    "+";
const string kInitials = "[A-Z]+" + group("(?:[+&]|" + any_case("&amp;") + ")[A-Z]+") + "+";
const string kSlashed =
    R"([A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2})";
const string kPhone =
    R"((?:(?:\([0-9]{2,3}\)[ \x{a0}]?|(?:\+\+?)?(?:[0-9]{2,4}[- \x{a0}])?[0-9]{2,4}[- \x{a0}])[0-9]{3,4}[- \x{a0}]?[0-9]{3,5}|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}))";
const string kSmiley = R"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])";
/// The first form looks like a slip upstream (a bracket that was to open a class, a "~" that means
/// "up to"), kept since it decides.
const string kAsianSmiley =
    R"((?:[\^x=~<>]\.\[\^[xX]=[^<]*<>\]|[-\^x=~<>']_[-\^x=~<>']|\([-\^x=~<>'][_.]?[-\^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\)))";

}  // namespace

std::vector<PtbRule> ptb_rules() {
  using enum PtbKind;
  const string sentence_end = kSpaceOrLine + group(kSpaceOrLine + "|" + kUpper + "|" + kMarkup);
  return {
      {plain, any_case("c\\+\\+|[cf]#"), ""},
      {give_three, any_case("cannot|'twas"), ""},
      {give_two,
       group(kApostrophe + any_case("tis") + "|" + any_case("gonna|gotta|lemme|gimme|wanna")), ""},
      {spaced, kMarkup, ""},
      {dash, any_case("&(?:md|mdash|ndash);") + R"(|[\x{96}\x{97}\x{2013}-\x{2015}])", ""},
      {ampersand, any_case("&amp;"), ""},
      {plain, any_case("&(?:ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);"), ""},
      {soft, kWord, kContraction},
      {soft, kBeforeNot, kNot},
      {soft, kWord, ""},
      {plain, kSmallWords, ""},
      {plain, any_case("y") + kApostrophe, "\\p{L}"},
      {plain, kUrl, ""},
      {plain, kLikelyUrl, "", '.'},
      {plain, kMail, "", '@'},
      {plain, "@[a-zA-Z_][a-zA-Z_0-9]*|#" + kLetter + "+", ""},
      {right_quote, kContraction, "[^A-Za-z]"},
      {right_quote, kNot, "[^A-Za-z]"},
      {plain, kDigit + "{1,2}[-/]" + kDigit + "{1,2}[-/]" + kDigit + "{2,4}", ""},
      {soft, kSignedNumber, ""},
      {plain,
       R"([\x{207a}\x{207b}\x{208a}\x{208b}]?(?:[\x{2070}\x{b9}\x{b2}\x{b3}\x{2074}-\x{2079}]+|[\x{2080}-\x{2089}]+))",
       ""},
      {spaced,
       "(?:" + kDigit + R"({1,4}[- \x{a0}])?)" + kDigit + R"({1,4}(?:\\?/|\x{2044}))" + kDigit +
           "{1,4}",
       ""},
      {fraction, R"([\x{bc}-\x{be}\x{2153}-\x{215e}])", ""},
      {ampersand,
       any_case(
           "-(?:rrb|lrb|rcb|lcb|rsb|lsb)-|c\\.d\\.s|pro-|anti-|s(?:&|&amp;)p-500|s(?:&|&amp;)ls") +
           "|" + any_case("cap") + kApostrophe + any_case("n") + "|" + any_case("c") + kApostrophe +
           any_case("est"),
       ""},
      {plain, kSlashed, "", '/'},
      {plain, "[A-Z]*\\$|#", ""},
      {currency,
       R"([\x{80}\x{a2}-\x{a5}\x{60b}\x{e3f}\x{20a0}\x{20a4}\x{20ac}\x{ffe0}\x{ffe1}\x{ffe5}\x{ffe6}])",
       ""},
      {acronym, kAcronym + "\\.",
       kSpace + "+" + group(kSentenceStarts + "|" + kMarkup) + kSpaceOrLine, '.'},
      {plain, kAbbreviation3, kSpaceOrLine + "?" + kDigit, '.'},
      {plain, any_case("pt[ey]|co") + "\\.", kSpace + any_case("ltd|lim"), '.'},
      {stop_too, kAbbreviation1, sentence_end, '.'},
      {plain, kAbbreviation1, "(?s:..)", '.'},
      {stop_too, kAbbreviation1, "", '.'},
      {plain, kAbbreviation2 + "\\.", "", '.'},
      {plain, kAbbreviation2, kSpace},
      {plain, kAcronym, kSpaceOrLine},
      {plain, kApostrophe + "[0-9][0-9]", kSpaceOrLine},
      {plain, kFile, kSpaceOrLine + "|[.?!,]", '.'},
      {soft, kWord + "\\.", kComma, '.'},
      {phone, kPhone, ""},
      {left_quote, kDoubleQuote, "[A-Za-z0-9$]"},
      {right_quote, kDoubleQuote, ""},
      {drop, "\\x7f", ""},
      {less, "<|" + any_case("&lt;"), ""},
      {greater, ">|" + any_case("&gt;"), ""},
      {smiley, kSmiley, "[^A-Za-z0-9]"},
      {smiley, kAsianSmiley, ""},
      {bracket, "[{}()\\[\\]]", ""},
      {hyphens, "-+", ""},
      {ellipsis, R"(\.{3,5}|[\x{85}\x{2026}]|(?:\.[ \x{a0}]){2,4}\.)", ""},
      {plain, "@+|#+|_+", ""},
      {plain, R"(\*+|(?:\\\*){1,3})", ""},
      {plain, kComma, ""},
      {plain, "[?!]+", ""},
      {plain, R"([.\x{a1}\x{bf}\x{37e}\x{589}\x{61f}\x{6d4}\x{700}-\x{702}\x{7fa}\x{3002}])", ""},
      {plain, "=", ""},
      {plain, "/", ""},
      {soft, kHyphenated + "\\.", kComma, '.'},
      {soft, kHyphenated, "", '-'},
      {plain, kThing + "\\.", kComma, '.'},
      {plain, kThing, ""},
      {ampersand, kInitials + "\\.", kComma, '.'},
      {ampersand, kInitials, ""},
      {left_quote, "'", "[A-Za-z][^ \\t\\n\\r\\x{a0}]"},
      {right_quote, kContraction, ""},
      {right_quote, kQuotes, ""},
      {plain, "<<|>>", ""},
      {plain, kSymbols, ""},
      {drop, R"([\x{0}\x{200b}\x{200e}\x{200f}\x{feff}]|)" + kSpace + "+", ""},
      {drop, R"(\r|\r?\n|[\x{2028}\x{2029}\x{b}\x{c}\x{85}])", ""},
      {drop, any_case("&nbsp;"), ""},
  };
}

bool is_split_ptb_word(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kSplit{"cannot", "gonna", "gotta",
                                                          "lemme",  "gimme", "wanna"};
  return std::find(kSplit.begin(), kSplit.end(), word) != kSplit.end();
}

bool is_ptb_abbreviation(std::string_view word) {
  static const std::unordered_set<string> kKnown = [] {
    std::unordered_set<string> words{"mfg",  "mtg",  "pty",  "pte",   "ptys",
                                     "ptes", "ppty", "ppte", "pptys", "pptes"};
    for (std::string_view list : {kAbbreviations1, kAbbreviations2, kAbbreviations3}) {
      while (!list.empty()) {
        string known(list.substr(0, list.find(' ')));
        list.remove_prefix(std::min(known.size() + 1, list.size()));
        known[0] = lower(known[0]);
        words.insert(std::move(known));
      }
    }
    return words;
  }();
  return kKnown.contains(string(word));
}

}  // namespace unirg::text
