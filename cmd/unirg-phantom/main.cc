// unirg-phantom: a synthetic chest radiograph archive, for tests and for the demonstration
// pipeline.
// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_folder.h"
#include "image/dicom.h"
#include "options.h"

namespace unirg::phantom {
namespace {

Exit run(Options& options, cli::Context& context) {
  options.phantom.seed = options.common.seed;
  const data::PhantomConfig& c = options.phantom;
  data::check_config(c);
  const image::DicomCodecs codecs;
  cli::Progress progress(context.log, "studies", c.train + c.validate + c.test + c.heldout,
                         options.common.log_every);
  const bool finished = data::write_phantom(
      options.output, c, static_cast<int>(options.common.threads), context.record, [&] {
        progress.advance();
        return !context.stop.requested();
      });
  return finished ? Exit::ok : Exit::interrupted;
}

}  // namespace
}  // namespace unirg::phantom

int main(int argc, char** argv) {
  unirg::phantom::Options options;
  return unirg::cli::run_main(
      unirg::phantom::tool_info(), unirg::phantom::option_table(options), options.common, argc,
      argv, [&](unirg::cli::Context& context) { return unirg::phantom::run(options, context); });
}
