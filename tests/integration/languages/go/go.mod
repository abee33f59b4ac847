module example.test/twilio

go 1.19
