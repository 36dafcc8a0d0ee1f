// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/dcmjpls/djencode.h>
#include <dcmtk/oflog/oflog.h>
#include <gdcmTrace.h>

#include "base/error.h"
#include "image/dicom.h"

namespace unirg::image {

DicomCodecs::DicomCodecs() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  if (!dcmDataDict.isDictionaryLoaded()) {
    throw Error(Exit::unavailable,
                "DCMTK finds no DICOM data dictionary (hint: install 'libdcmtk17' or set "
                "DCMDICTPATH to its dicom.dic)");
  }
  // Stored values are wanted: no colour conversion, samples interleaved, the file's UIDs kept.
  DJDecoderRegistration::registerCodecs(EDC_never, EUC_never, EPC_colorByPixel);
  DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
  DcmRLEDecoderRegistration::registerCodecs();
  DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
  DJLSEncoderRegistration::registerCodecs(0, 0, 0, 0, OFTrue, 0, OFTrue, EJLSUC_never);
  DcmRLEEncoderRegistration::registerCodecs();
}

DicomCodecs::~DicomCodecs() {
  DcmRLEEncoderRegistration::cleanup();
  DJLSEncoderRegistration::cleanup();
  DJEncoderRegistration::cleanup();
  DcmRLEDecoderRegistration::cleanup();
  DJLSDecoderRegistration::cleanup();
  DJDecoderRegistration::cleanup();
}

}  // namespace unirg::image
