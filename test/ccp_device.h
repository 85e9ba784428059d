#ifndef TEST_CCP_DEVICE_H
#define TEST_CCP_DEVICE_H
/* ccp_device.h - the certificate of a device (EC P-256), base64 DER. */
#define DEVICE                                                                                   \
    "MIIBgjCCASegAwIBAgIUQ0/QZNNg6cNMuDAOwyJlY6gj2TgwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLZGV2aWNlID" \
    "A4MTUwHhcNMjYxMTIwMDg0NjQxWhcNMzYxMTE3MDg0NjQxWjAWMRQwEgYDVQQDDAtkZXZpY2UgMDgxNTBZMBMGByqG" \
    "SM49AgEGCCqGSM49AwEHA0IABPwJrfLQ3MNLyT4xc96TEKA16t3rw5EDAv3yT7akWWMgakRXL8e6MDMlgS43f7iVEv" \
    "IjQinzowIKgWkuacrRxY+jUzBRMB0GA1UdDgQWBBQuzj+QQzFPMwQVZPbnqL7wrXWD0jAfBgNVHSMEGDAWgBQuzj+Q" \
    "QzFPMwQVZPbnqL7wrXWD0jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDdzW/RheV8OhoBwlwRbI" \
    "Bvf84k9MJqHpEPVueJ8QhgLgIhAO//J9Y6/nQ034RYrplpKw1M3ISJIge8XgBpye+8Eq7n"
#endif
