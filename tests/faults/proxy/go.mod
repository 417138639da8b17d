module vdcu.io/faultproxy

go 1.26
